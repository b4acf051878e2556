import WaybillCore
import WaybillManifests

// Items of a `forEach`.

extension RunState {
    /// Opens the frame of the item that an address names, if its loop is under way and that item is next.
    mutating func openItem(at address: String) -> InstanceID? {
        guard let dash = address.utf8.lastIndex(of: UInt8(ascii: "-")),
            let index = Int(address[address.utf8.index(after: dash)...]),
            let loop = instance(at: String(address[..<dash])), self[loop].loop?.next == index
        else { return nil }
        return openNextItem(of: loop)
    }

    /// Opens the frame of a loop's next item.
    mutating func openNextItem(of id: InstanceID) -> InstanceID? {
        // The loop itself is not held on to: a copy would make each change a copy of its results.
        guard case .forEach(let action) = definition(of: id).action, let next = self[id].loop?.next,
            next < self[id].loop?.count ?? 0
        else { return nil }
        self[id].loop?.next += 1
        self[id].loop?.running += 1
        var result = ItemResult()
        result.status = .running
        self[id].loop?.results.append(result)
        let frame = openFrame(.item(next), action.body, under: id)
        reviseLoop(id)
        return InstanceID(frame: frame, step: 0)
    }

    /// Takes the key of the item that a step is the body of.
    mutating func nameItem(of id: InstanceID, _ key: String) {
        guard let index = frames[id.frame]?.item, let loop = frames[id.frame]?.parent,
            self[loop].loop?.results.indices.contains(index) == true
        else { return }
        self[loop].loop?.results[index].key = key
    }

    mutating func takeItem(_ index: Int, of id: InstanceID, from step: StepState, key: String?) {
        guard self[id].loop?.results.indices.contains(index) == true,
            case .forEach(let action) = definition(of: id).action
        else { return }
        self[id].loop?.running -= 1
        self[id].loop?.results[index].status = step.status
        self[id].loop?.results[index].output = step.status == .completed ? step.output : nil
        self[id].loop?.results[index].error = step.error
        if let key { self[id].loop?.results[index].key = key }
        guard step.status == .failed, !step.isFailureHandled else { return }
        self[id].loop?.failed += 1
        if action.onItemFailure == .stop { self[id].loop?.isStopped = true }
    }

    /// Says whether a loop has something to decide: another item to begin, or its end.
    mutating func reviseLoop(_ id: InstanceID) {
        // Only numbers are taken from the loop: a copy of it would make the next change a copy of its results.
        guard case .forEach(let action) = definition(of: id).action, let running = self[id].loop?.running,
            let hasNext = self[id].loop?.hasNext
        else { return }
        let isOver = running == 0 && !hasNext
        let isKept = hasNext && keepsWhatBegan && frames[id.frame]?.isHalted == true
        if isOver || (hasNext && running < action.maxParallel && !isKept) { ready.insert(id) } else { ready.remove(id) }
    }
}
