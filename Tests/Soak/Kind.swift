/// What runs are there to do.
enum Kind: String, CaseIterable {
    case order, claim, review

    /// The shares of a life that each wait for the clock takes, each answer and each event. A life has one of each, but
    /// that a review goes through clock and answer twice.
    var shares: (pause: Double, answer: Double, event: Double) {
        switch self {
        case .order: (0.4, 0.3, 0.3)
        case .claim: (0.6, 0.4, 0)
        case .review: (0.25, 0.25, 0)
        }
    }

    /// What a person says to a question.
    func answer(to key: String) -> String {
        switch self {
        case .order: "yes"
        case .claim: "pay"
        case .review: key == "judge" ? "again" : "good"
        }
    }
}
