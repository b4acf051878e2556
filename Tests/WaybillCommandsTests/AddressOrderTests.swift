import Testing
import WaybillCore
import WaybillManifests

@testable import WaybillCommands

@Suite("The order of addresses")
struct AddressOrderTests {
    @Test("members stand below their group or loop, in the order of file and list")
    func order() throws {
        let text = """
            kind: Workflow
            name: w
            steps:
              - {id: z, run: [x], compensate: {run: [y]}}
              - {id: l, forEach: [1, 2, 3], steps: [{id: d, run: [x]}, {id: c, run: [x]}]}
              - {id: a, steps: [{id: b, run: [x]}]}
            finally: [{id: f, run: [x]}]
            """
        let catalog = Catalog.load([SourceFile(path: "workflows/w.yaml", bytes: Array(text.utf8))]) { _ in true }
        let order = AddressOrder(try #require(catalog.workflows["w"]))
        let sorted = [
            "z", "z-compensate", "l", "l-0", "l-0.d", "l-0.c", "l-2", "l-2.d", "l-10", "a", "a.b", "f", "gone",
        ]
        #expect(order.sorted(sorted.sorted()) { $0 } == sorted)
        #expect(sorted.map(AddressOrder.depth) == [0, 1, 0, 1, 2, 2, 1, 2, 1, 0, 1, 0, 0])
    }
}
