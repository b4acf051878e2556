/// Finds a part of a text in time linear in both (Knuth, Morris and Pratt, "Fast Pattern Matching in Strings").
///
/// Works on UTF-8, where a whole character can only be found at a character's start.
struct TextSearch {
    let part: [UInt8]
    /// For each prefix of the part, the length of its longest proper border.
    private let borders: [Int]

    init(_ text: String) {
        part = Array(text.utf8)
        var borders = [Int](repeating: 0, count: part.count)
        var length = 0
        for index in part.indices.dropFirst() {
            while length > 0, part[index] != part[length] { length = borders[length - 1] }
            if part[index] == part[length] { length += 1 }
            borders[index] = length
        }
        self.borders = borders
    }

    /// The index of the first occurrence; an empty part is at the start.
    func first(in bytes: ArraySlice<UInt8>) -> Int? {
        if part.isEmpty { return bytes.startIndex }
        var length = 0
        for index in bytes.indices {
            while length > 0, bytes[index] != part[length] { length = borders[length - 1] }
            if bytes[index] == part[length] { length += 1 }
            if length == part.count { return index - length + 1 }
        }
        return nil
    }

    /// The indices of occurrences that do not overlap, from the left, at most `limit`. Not for an empty part.
    func all(in bytes: [UInt8], limit: Int) -> [Int] {
        var found: [Int] = []
        var rest = bytes[...]
        while found.count < limit, let index = first(in: rest) {
            found.append(index)
            rest = bytes[(index + part.count)...]
        }
        return found
    }
}
