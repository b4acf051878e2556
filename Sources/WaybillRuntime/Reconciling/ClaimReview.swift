import SystemPackage
import WaybillCore
import WaybillEngine
import WaybillPorts
import WaybillStore

/// What lies in the common inbox's `.claimed/` and is judged again: some of it whenever there is room for more starts.
struct ClaimReview {
    /// By their names in `.claimed/`: those that are still to come.
    var names: ArraySlice<FilePath.Component> = []
    /// What the journal had refused when the review began.
    var recorded: JournalRefusal.Recorded?
    /// Answers, by the runs that judge them: they are handed over together, as an answer is judged with its signature.
    var answers: [RunID: [FilePath.Component]] = [:]

    var isOver: Bool { names.isEmpty }
}

extension Reconciler {
    /// What was claimed when the last one that kept the door stopped, and whatever else nobody has in hand.
    func recoverCommonInbox(_ door: InboxDoor) {
        do throws(FileSystemError) {
            let names = try door.leftovers()
            hasUnknownClaims = false
            review.names = []
            let inHand = starts.claims
            review(names.filter { !inHand.contains($0) }, door)
        } catch {
            lookThroughClaims()
        }
    }

    func judgeAgain(_ door: InboxDoor) {
        // What is on its way into the journal is no leftover.
        if hasUnknownClaims { acceptEvents(door) }
        // Each claim is judged once: among all of them are those that are known.
        let names = unsettledClaims
        unsettledClaims = []
        if hasUnknownClaims { recoverCommonInbox(door) } else { review(names, door) }
    }

    func review(_ names: [FilePath.Component], _ door: InboxDoor) {
        guard !names.isEmpty else { return }
        // Answers to runs that are there wait for nobody. Those to others come after the requests for these.
        var known: [FilePath.Component] = []
        var unknown: [FilePath.Component] = []
        for name in names {
            if let run = InboxDoor.droppedName(ofClaimed: name).flatMap(Self.addressee) {
                if (try? isKnown(run)) ?? false { known.append(name) } else { unknown.append(name) }
            } else {
                review.names.append(name)
            }
        }
        review.names += unknown
        if review.recorded == nil { review.recorded = try? JournalRefusal.Recorded(tree.journal) }
        for name in known { judgeAgain(name, door) }
        goOnJudging(door)
    }

    /// Judges as many as there is room for.
    func goOnJudging(_ door: InboxDoor) {
        while !starts.isFull, let name = review.names.popFirst() { judgeAgain(name, door) }
        guard review.isOver else { return }
        let answers = review.answers
        review = ClaimReview()
        for (run, names) in answers { register(run, Wake(commonClaims: names)) }
    }

    private func judgeAgain(_ name: FilePath.Component, _ door: InboxDoor) {
        let reclaimed: ClaimedFile?
        do throws(FileSystemError) {
            reclaimed = try door.reclaim(name)
        } catch {
            unsettledClaims.append(name)
            return scheduleDoor()
        }
        guard let claimed = reclaimed else { return }
        // `<run-id>.json` was fixed by the claim; other names say where the file came from.
        let isFixed = claimed.name == claimed.claimedName
        guard !isFixed, let addressee = Self.addressee(of: claimed.name) else {
            return judge(claimed, door, fixedRun: isFixed ? RunID(claimed.name.stem) : nil)
        }
        guard let isKnown = try? isKnown(addressee), let recorded = review.recorded else {
            unsettledClaims.append(name)
            return scheduleDoor()
        }
        // One that came before its run is refused, also when there is such a run by now; one that came after its end has
        // its receipt there.
        let refusal = recorded.entry(of: claimed, .answerRefused)
        let isRefused = refusal.map { $0.data["run"] == nil } ?? false
        if !isRefused, let run = RunID(addressee), starts.hold(Wake(commonClaims: [name]), for: run) { return }
        if isKnown, !isRefused, let run = RunID(addressee) {
            review.answers[run, default: []].append(name)
        } else {
            refuse(claimed, door, .answerRefused, .unknownRun, "there is no run '\(addressee)'")
        }
    }
}
