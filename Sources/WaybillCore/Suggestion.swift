/// Finds what somebody probably meant.
package enum Suggestion {
    /// Longer names are not compared: a suggestion is worth a few microseconds, not more.
    private static let longestName = 64
    /// Of more candidates the rest is not looked at: who writes the names may write many thousands.
    private static let mostCandidates = 1_000
    /// More names than anybody reads.
    private static let mostListed = 20

    /// The candidate with the fewest slips (a letter missing, added, wrong, or two swapped) from `name`,
    /// nil if none is near: one slip in three letters is the most. Of equals the first in order counts.
    package static func closest(to name: String, among candidates: some Sequence<String>) -> String? {
        let name = Array(name.lowercased().utf8.prefix(longestName))
        var best: (name: String, slips: Int)?
        for candidate in candidates.prefix(mostCandidates) where candidate.utf8.count <= longestName {
            let other = Array(candidate.lowercased().utf8)
            let most = min(max(1, max(name.count, other.count) / 3), (best?.slips ?? .max) - 1)
            guard abs(name.count - other.count) <= most, let slips = slips(name, other, most: most) else { continue }
            best = (candidate, slips)
            if slips == 0 { break }
        }
        return best?.name
    }

    /// `did you mean 'x'?` as a hint, nil where nothing is near.
    package static func hint(for name: String, among candidates: some Sequence<String>) -> String? {
        closest(to: name, among: candidates).map { "did you mean '\($0)'?" }
    }

    /// `there are a, b, c` as a hint; of many names the first ones.
    package static func list(_ names: some Collection<String>) -> String {
        let rest = names.count - mostListed
        let listed = "there are " + names.prefix(mostListed).joined(separator: ", ")
        return rest > 0 ? "\(listed) and \(rest) more" : listed
    }

    /// The optimal string alignment distance, nil if it is more than `most`.
    private static func slips(_ left: [UInt8], _ right: [UInt8], most: Int) -> Int? {
        var before: [Int] = []
        var previous = Array(0...right.count)
        for row in 0..<left.count {
            var current = [row + 1]
            current.reserveCapacity(right.count + 1)
            for column in 0..<right.count {
                let change = previous[column] + (left[row] == right[column] ? 0 : 1)
                var least = min(change, previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
                    least = min(least, before[column - 1] + 1)
                }
                current.append(least)
            }
            if let least = current.min(), least > most { return nil }
            before = previous
            previous = current
        }
        return previous[right.count] <= most ? previous[right.count] : nil
    }
}
