/// What is to be done at which time.
struct Agenda {
    enum Task: Equatable {
        case answer(run: String, key: String)
        case event(run: String)
    }

    /// The next one is the last one.
    private var tasks: [(due: Double, task: Task)] = []

    mutating func add(_ task: Task, at due: Double) {
        var low = 0
        var high = tasks.count
        while low < high {
            let middle = (low + high) / 2
            if tasks[middle].due > due { low = middle + 1 } else { high = middle }
        }
        tasks.insert((due, task), at: low)
    }

    /// Nil where nothing is to be done.
    var nextDue: Double? { tasks.last?.due }

    /// The next task whose time has come.
    mutating func next(at now: Double) -> Task? {
        guard let due = nextDue, due <= now else { return nil }
        return tasks.removeLast().task
    }
}
