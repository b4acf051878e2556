import Glibc

/// Where output goes: a person's terminal, or a file or pipe that a program reads.
struct Terminal: Sendable, Hashable {
    enum Colour: String, Sendable {
        case red = "31"
        case green = "32"
        case yellow = "33"
        case blue = "34"
        case dim = "2"
        case bold = "1"
    }

    /// Whether a person looks at it: tables, progress and colour are only for them.
    var isInteractive: Bool
    /// In columns; what is no terminal has no edge.
    var width: Int
    var hasColour: Bool

    init(isInteractive: Bool, width: Int = .max, hasColour: Bool = false) {
        self.isInteractive = isInteractive
        self.width = width
        self.hasColour = hasColour
    }

    static let plain = Terminal(isInteractive: false)

    /// What a descriptor leads to. `NO_COLOR` (no-color.org) and `TERM=dumb` switch colour off.
    init(descriptor: Int32) {
        guard isatty(descriptor) == 1 else {
            self = .plain
            return
        }
        var size = winsize()
        let isKnown = ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        let noColour = Terminal.variable("NO_COLOR").map { !$0.isEmpty } ?? false
        let isDumb = Terminal.variable("TERM") == "dumb"
        self.init(
            isInteractive: !isDumb, width: isKnown ? Int(size.ws_col) : 80, hasColour: !noColour && !isDumb)
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    func paint(_ text: String, _ colour: Colour) -> String {
        hasColour && !text.isEmpty ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// The status of a run or a step in its colour; one that a newer version invented stays plain.
    func paint(status: String) -> String {
        switch status {
        case "completed": paint(status, .green)
        case "failed", "quarantined", "unknown": paint(status, .red)
        case "waiting", "paused": paint(status, .yellow)
        case "running": paint(status, .blue)
        case "skipped", "cancelled", "pending", "compensated": paint(status, .dim)
        default: status
        }
    }
}
