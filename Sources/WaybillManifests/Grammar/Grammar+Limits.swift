// What the processes of a step may use of the machine.
extension Grammar {
    static let processLimits = FieldTable(
        "`limits` of a process",
        [
            .optional(
                "cpu", .scalar(.span),
                "Processor time of each process, in whole seconds; one that uses more is ended, and the step has failed with `limit`."
            ),
            .optional(
                "memory", .scalar(.memory),
                "Memory: of all processes together where the machine lets Waybill say so, else the address space of each."
            ),
            .optional("files", .scalar(.integer(8...1_048_576)), "Files that each process may have open at once."),
            .optional(
                "processes", .scalar(.integer(1...1_000_000)),
                "Processes and threads at once; one more cannot be started."),
        ]
            + ["steps", "elapsed", "active", "retries", "cost", "tokens"].map {
                .misplaced($0, "is a budget of a run; it belongs to the `limits` of the workflow")
            })
}
