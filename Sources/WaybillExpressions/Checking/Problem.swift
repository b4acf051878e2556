/// Something wrong with an expression that shows before it is evaluated.
struct Problem: Hashable, Sendable {
    var message: String
    /// In bytes from the start of the source.
    var offset: Int
    var hint: String?
    var isWarning = false
}
