/// A cron expression of five fields, as Debian's cron reads them.
package struct CronSchedule: Sendable, Hashable {
    /// As written.
    package let source: String

    /// The reason why a text is no cron expression.
    package struct Problem: Error, Sendable, Hashable {
        package let message: String
    }
}
