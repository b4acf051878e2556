/// A JSON object: members sorted by the code points of their names, each name once.
///
/// Sorted members make iteration, digests and printed files independent of how an object came to be.
/// Look-up is a binary search; `object[key] = value` costs a move of what stands behind it.
package struct Object: Sendable {
    package typealias Element = (key: String, value: Value)

    private var members: [Element]

    package init() {
        members = []
    }

    /// Takes members in any order; of two with the same name the later one counts.
    package init(_ elements: some Sequence<(String, Value)>) {
        members = elements.map { (key: $0.0, value: $0.1) }
        normalize()
    }

    /// The first name that occurs twice, and the object; a strict reader refuses when there is one.
    package static func strict(_ elements: [Element]) -> (object: Object, duplicate: String?) {
        var object = Object()
        object.members = elements
        let count = elements.count
        let duplicate = object.normalize()
        return (object, object.members.count == count ? nil : duplicate)
    }

    /// Takes members whose names are known to be in order, each once.
    init(sorted elements: [Element]) {
        members = elements
    }

    package var count: Int { members.count }
    package var isEmpty: Bool { members.isEmpty }
    package var keys: [String] { members.map(\.key) }

    package subscript(_ key: String) -> Value? {
        get {
            let index = position(of: key)
            guard index < members.count, members[index].key.isIdenticalUTF8(to: key) else { return nil }
            return members[index].value
        }
        set {
            let index = position(of: key)
            let exists = index < members.count && members[index].key.isIdenticalUTF8(to: key)
            switch (exists, newValue) {
            case (true, .some(let value)): members[index].value = value
            case (false, .some(let value)): members.insert((key, value), at: index)
            case (true, .none): members.remove(at: index)
            case (false, .none): break
            }
        }
    }

    /// The first index whose name is not before `key`.
    private func position(of key: String) -> Int {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].key.precedesInCodePoints(key) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Sorts, keeps the last of equal names, and returns one name that was there twice.
    @discardableResult
    private mutating func normalize() -> String? {
        guard var sorted = members.indices.dropFirst().first(where: { isOutOfPlace($0) }) else { return nil }
        // Most objects are small and nearly in order: no sort of another array is faster than moving a few members.
        if members.count <= 16 {
            while sorted < members.count {
                var place = sorted
                while place > 0, members[place].key.precedesInCodePoints(members[place - 1].key) {
                    members.swapAt(place, place - 1)
                    place -= 1
                }
                sorted += 1
            }
        } else {
            // Swift's sort is stable as well, so the last of equal names is the one that was given last.
            members.sort { $0.key.precedesInCodePoints($1.key) }
        }
        return dropDuplicates()
    }

    /// Whether a member does not stand behind the one before it.
    private func isOutOfPlace(_ index: Int) -> Bool { !members[index - 1].key.precedesInCodePoints(members[index].key) }

    /// Of sorted members, the last of each name stays.
    private mutating func dropDuplicates() -> String? {
        guard let first = members.indices.dropFirst().first(where: { isOutOfPlace($0) }) else { return nil }
        let duplicate = members[first].key
        var kept: [Element] = []
        kept.reserveCapacity(members.count)
        for member in members {
            if let last = kept.last, last.key.isIdenticalUTF8(to: member.key) {
                kept[kept.count - 1] = member
            } else {
                kept.append(member)
            }
        }
        members = kept
        return duplicate
    }
}

extension Object: RandomAccessCollection {
    /// The array's own iterator; the one that collections get by default costs several calls for each member.
    package func makeIterator() -> IndexingIterator<[Element]> { members.makeIterator() }

    package var startIndex: Int { 0 }
    package var endIndex: Int { members.count }
    package subscript(position: Int) -> Element { members[position] }
}

extension Object: Hashable {
    package static func == (left: Object, right: Object) -> Bool {
        left.members.elementsEqual(right.members) { $0.key.isIdenticalUTF8(to: $1.key) && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(members.count)
        for member in members {
            hasher.combineUTF8(of: member.key)
            hasher.combine(member.value)
        }
    }
}

extension Object: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}
