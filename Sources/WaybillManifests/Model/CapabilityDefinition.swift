package import WaybillCore

/// A version as Semantic Versioning 2.0.0 writes it, without build metadata.
package struct SemanticVersion: Sendable, Hashable, Comparable {
    package var major: Int
    package var minor: Int
    package var patch: Int
    /// `rc.1` in `1.0.0-rc.1`; empty for a release.
    package var prerelease: [String]

    package init(major: Int, minor: Int, patch: Int, prerelease: [String] = []) {
        self.major = major
        self.minor = minor
        self.patch = patch
        self.prerelease = prerelease
    }

    /// Section 11 of the specification: a pre-release comes before its release; its numbers compare as numbers, and come
    /// before words.
    package static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        let (a, b) = ((left.major, left.minor, left.patch), (right.major, right.minor, right.patch))
        guard a == b else { return a < b }
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        for (l, r) in zip(left.prerelease, right.prerelease) where l != r {
            switch (Int(l), Int(r)) {
            case (let x?, let y?): return x < y
            case (.some, nil): return true
            case (nil, .some): return false
            case (nil, nil): return l.precedesInCodePoints(r)
            }
        }
        return left.prerelease.count < right.prerelease.count
    }
}

/// `name@1`, `name@1.2` or `name@1.2.0`: the parts that are given are fixed, except that a newer compatible version
/// serves: `@1` takes any 1.x.y, `@1.2` any 1.x.y from 1.2.0 on, `@1.2.3` any 1.x.y from 1.2.3 on.
/// Major version 0 promises nothing, so there the minor version, if it is given, is fixed as well.
/// Nobody gets a pre-release unasked: `@1.3.0-rc.1` takes that very version, and no other reference takes one.
package struct CapabilityReference: Sendable, Hashable {
    package var name: String
    package var major: Int
    package var minor: Int?
    package var patch: Int?
    /// `rc.1` in `name@1.3.0-rc.1`, which names all three numbers then; empty for a release.
    package var prerelease: [String]

    package init(name: String, major: Int, minor: Int? = nil, patch: Int? = nil, prerelease: [String] = []) {
        self.name = name
        self.major = major
        self.minor = minor
        self.patch = patch
        self.prerelease = prerelease
    }
}

/// `kind: Capability`: an action with typed inputs and outputs, its own retry, compensation and side-effect class.
package struct CapabilityDefinition: Sendable {
    package var name: String
    package var version: SemanticVersion
    package var place: SourcePlace
    /// The file it was read from; relative programs stand beside it.
    package var sourcePath: String
    package var inputs: [InputDefinition] = []
    /// What it does: `run` or `http`, with `env timeout retry compensate sideEffects onUnknown output verify artifacts`.
    /// Its expressions see the capability's own `inputs`, and `run step attempt visit`, and `output` where a step has one.
    /// A process whose capability declares an `output` schema prints JSON.
    package var step: StepDefinition
    /// The schema of its output, as written.
    package var outputSchema: Value?

    package init(
        name: String, version: SemanticVersion, place: SourcePlace, sourcePath: String, step: StepDefinition
    ) {
        self.name = name
        self.version = version
        self.place = place
        self.sourcePath = sourcePath
        self.step = step
    }
}
