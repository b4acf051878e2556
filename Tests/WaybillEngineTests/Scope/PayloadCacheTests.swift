import Testing
import WaybillCore

@testable import WaybillEngine

@Suite("The cache of payloads")
struct PayloadCacheTests {
    private func digest(_ name: String) -> Digest { Digest.sha256(name) }

    @Test("a payload is made once, and its views apart")
    func once() {
        let cache = PayloadCache()
        #expect(cache.value(digest("a"), size: 10) { 1 } == 1)
        #expect(cache.value(digest("a"), size: 10) { 2 } == 1)
        #expect(cache.value(digest("a"), .outputs, size: 10) { 3 } == 3)
    }

    @Test("what cannot be made is asked for again")
    func missing() {
        let cache = PayloadCache()
        #expect(cache.value(digest("a"), size: 10) { nil } == nil)
        #expect(cache.value(digest("a"), size: 10) { 1 } == 1)
    }

    @Test("beyond its limit it lets go of what was used longest ago, and keeps one however large")
    func bounded() {
        let cache = PayloadCache(byteLimit: 25)
        for name in ["a", "b"] { _ = cache.value(digest(name), size: 10) { 1 } }
        #expect(cache.value(digest("a"), size: 10) { 2 } == 1)
        _ = cache.value(digest("c"), size: 10) { 1 }
        #expect(cache.value(digest("a"), size: 10) { 2 } == 1)
        #expect(cache.value(digest("b"), size: 10) { 2 } == 2)
        _ = cache.value(digest("large"), size: 1_000) { 1 }
        #expect(cache.value(digest("large"), size: 1_000) { 2 } == 1)
    }
}
