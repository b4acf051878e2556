package import WaybillCore
package import WaybillEngine

/// What the journal says about ids: which are used, by what, and what became of them. Entries stay even when their
/// runs are pruned, so a used id never starts again.
package struct JournalIndex: Hashable, Sendable {
    package struct Run: Hashable, Sendable {
        package var workflow: String?
        /// Digest of the inputs it was started with: the same id with other inputs is a conflict.
        package var inputs: Digest?
        /// Of the `RUN_STARTED` entry; 0 if only an end is known.
        package var started: Int
        package var startedAt: Timestamp
        package var ended: End?
        package var isPruned = false
        /// The concurrency group that it belongs to, and how many of the group may go on at once.
        package var group: String?
        package var limit = 0
        /// The run of the group that has to end, so that this one has its place.
        package var cancels: RunID?
    }

    package struct End: Hashable, Sendable {
        /// Of the `RUN_ENDED` entry.
        package var seq: Int
        package var status: String
        /// The run's final head, which its ledger must contain.
        package var headSeq: Int
        package var head: Digest

        package init(seq: Int, status: String, headSeq: Int, head: Digest) {
            self.seq = seq
            self.status = status
            self.headSeq = headSeq
            self.head = head
        }
    }

    /// A run that ended not long before the newest entry.
    package struct RecentEnd: Hashable, Sendable {
        package var run: RunID
        package var at: Timestamp
    }

    /// A run that started, or whose end was taken back.
    private struct Opening: Hashable {
        var seq: Int
        var run: RunID
    }

    /// So many of the newest openings are known at least, and twice as many at most.
    private static let leastOpenings = 2_048

    /// The kernel writes what was not synced within half a minute or so; this is long after.
    private static let recent = Duration.seconds(600)
    /// So many of the newest ends count in any case: clocks are set forward.
    private static let leastRecent = 100

    package private(set) var runs: [RunID: Run] = [:]
    /// The runs that ended in the last ten minutes before the newest end, and some more: what they left besides their
    /// ledgers may not have been on the disk when the power failed.
    package private(set) var recentEnds: [RecentEnd] = []
    /// How many of them there are before older ones are looked for.
    private var mostRecentEnds = 2 * JournalIndex.leastRecent
    /// The runs of each concurrency group that have not ended, in the order of their starts.
    package private(set) var groups: [String: [RunID]] = [:]
    /// The runs that have to end so that another one of their group has its place, with that one, until they have.
    package private(set) var successors: [RunID: RunID] = [:]
    private var openings: [Opening] = []
    /// Of the newest opening that was forgotten.
    private var lastForgotten = 0
    /// Slots of schedules that were taken, with the entry's number.
    package private(set) var slots: [String: Int] = [:]
    /// Contents of declared runs that were executed, with the run's id.
    package private(set) var declared: [String: RunID] = [:]
    /// Accepted events: where they are.
    package private(set) var events = EventIndex()
    /// Of the last entry; 0 before the first.
    package private(set) var lastSeq = 0

    package init() {}

    /// Runs that started and have no recorded end.
    package var open: [RunID] { runs.filter { $0.value.ended == nil }.map(\.key) }

    /// The runs that started behind an entry, or whose end was taken back there, and that have no recorded end. Where the
    /// entry is among the newest, this costs as much as there are, and not as much as there ever were.
    package func open(after seq: Int) -> [RunID] {
        if seq < lastForgotten { return open }
        return openings.reversed().prefix { $0.seq > seq }.reversed().map(\.run).filter { runs[$0]?.ended == nil }
    }

    private mutating func noteOpening(of run: RunID) {
        openings.append(Opening(seq: lastSeq, run: run))
        guard openings.count > 2 * Self.leastOpenings else { return }
        lastForgotten = openings[openings.count - Self.leastOpenings - 1].seq
        openings.removeFirst(openings.count - Self.leastOpenings)
    }

    private mutating func note(_ end: RecentEnd) {
        recentEnds.append(end)
        guard recentEnds.count > mostRecentEnds else { return }
        // One in so many ends looks through all of them.
        let older = recentEnds.dropLast(Self.leastRecent).prefix { $0.at < end.at - Self.recent }
        recentEnds.removeFirst(older.count)
        mostRecentEnds = 2 * max(recentEnds.count, Self.leastRecent)
    }

    /// Takes in the next entry of the journal.
    package mutating func apply(_ entry: Entry, at place: JournalPlace) {
        lastSeq = entry.seq
        if entry.type == .eventAccepted { return events.apply(entry, at: place) }
        let run = entry.data["run"]?.stringValue.flatMap(RunID.init)
        switch entry.type {
        case .runStarted:
            guard let run else { return }
            runs[run] = Run(
                workflow: entry.data["workflow"]?.stringValue,
                inputs: entry.data["inputs"]?.stringValue.flatMap(Digest.init(hex:)), started: entry.seq,
                startedAt: entry.ts, ended: runs[run]?.ended, group: entry.data["group"]?.stringValue,
                limit: Int(entry.data["limit"]?.intValue ?? 0),
                cancels: entry.data["cancels"]?.stringValue.flatMap(RunID.init))
            noteOpening(of: run)
            if let oldest = runs[run]?.cancels, runs[oldest]?.ended == nil { successors[oldest] = run }
            if let group = runs[run]?.group, runs[run]?.ended == nil { groups[group, default: []].append(run) }
        case .runEnded:
            guard let run, let status = entry.data["status"]?.stringValue, let seq = entry.data["seq"]?.intValue,
                let head = entry.data["head"]?.stringValue.flatMap(Digest.init(hex:))
            else { return }
            leaveGroup(run)
            note(RecentEnd(run: run, at: entry.ts))
            runs[run, default: Run(started: 0, startedAt: entry.ts)].ended = End(
                seq: entry.seq, status: status, headSeq: Int(seq), head: head)
        case .runPruned:
            guard let run else { return }
            leaveGroup(run)
            runs[run]?.isPruned = true
        case .runRepaired:
            // What was accepted to be lost is known no more; an end that is still there is noted again.
            guard let run, entry.data["lost"] != nil, runs[run]?.ended != nil else { return }
            runs[run]?.ended = nil
            noteOpening(of: run)
            if let group = runs[run]?.group { groups[group, default: []].append(run) }
        case .slotTaken:
            if let slot = entry.data["slot"]?.stringValue { slots[slot] = entry.seq }
        case .runDeclared:
            if let run, let content = entry.data["content"]?.stringValue { declared[content] = run }
        default: break
        }
    }

    private mutating func leaveGroup(_ run: RunID) {
        successors[run] = nil
        guard let group = runs[run]?.group, let position = groups[group]?.firstIndex(of: run) else { return }
        groups[group]?.remove(at: position)
        if groups[group]?.isEmpty == true { groups[group] = nil }
    }

    /// Whether a run is among the first so many of its group that have not ended; one of no group always is.
    package func isAdmitted(_ run: RunID, limit: Int) -> Bool {
        guard let group = runs[run]?.group, let members = groups[group] else { return true }
        return members.prefix(max(1, limit)).contains(run)
    }

    /// The runs of a group whose turn it is.
    package func admitted(in group: String) -> [RunID] {
        let members = groups[group] ?? []
        var admitted: [RunID] = []
        for (position, run) in members.enumerated() {
            // Each counts by its own limit, which is almost always that of the others.
            guard position < max(1, runs[run]?.limit ?? 1) else { break }
            admitted.append(run)
        }
        return admitted
    }
}

extension EntryDraft {
    /// A run is about to start. The journal has this before the run's folder exists.
    /// - Parameters:
    ///   - inputs: digest of the canonical inputs.
    ///   - group: the concurrency group it joins, and how many of it may go on at once.
    ///   - cancels: the run of that group that has to end for it.
    package static func runStarted(
        _ run: RunID, workflow: String, inputs: Digest, trigger: Value, group: (name: String, limit: Int)? = nil,
        cancels: RunID? = nil
    ) -> EntryDraft {
        var data: Object = [
            "run": .string(run.text), "workflow": .string(workflow), "inputs": .string(inputs.hex),
            "trigger": trigger,
        ]
        if let group {
            data["group"] = .string(group.name)
            data["limit"] = .int(Int64(group.limit))
            data["cancels"] = cancels.map { .string($0.text) }
        }
        return EntryDraft(.runStarted, data: data)
    }

    /// A run has ended, with this status and head.
    package static func runEnded(_ run: RunID, status: String, head: LedgerHead) -> EntryDraft {
        EntryDraft(
            .runEnded,
            data: [
                "run": .string(run.text), "status": .string(status), "seq": .int(Int64(head.seq)),
                "head": .string(head.digest.hex),
            ])
    }
}
