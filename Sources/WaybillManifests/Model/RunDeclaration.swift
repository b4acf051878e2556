package import WaybillCore

/// `kind: Run`: a run that is declared in git (contract, section 8). It is executed once per content.
package struct RunDeclaration: Sendable {
    package var name: String
    package var place: SourcePlace
    package var sourcePath: String
    package var workflow: String
    package var inputs = Object()
    /// Texts.
    package var labels = Object()
    package var notBefore: Timestamp?
    /// Another number makes another content.
    package var generation = 1

    package init(name: String, place: SourcePlace, sourcePath: String, workflow: String) {
        self.name = name
        self.place = place
        self.sourcePath = sourcePath
        self.workflow = workflow
    }
}
