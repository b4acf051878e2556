// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is compiled with the same strictness, so that code can move between rooms.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

func target(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

// Arrows run downwards only: a target imports targets above it in this list, and adapters
// (Store, Processes, Watching, HTTP) never import each other. Tests/Tidy keeps it so.
let package = Package(
    name: "waybill",
    products: [
        .executable(name: "waybill", targets: ["waybill"]),
        .executable(name: "waybill-supervisor", targets: ["waybill-supervisor"]),
        // For tests: `LD_PRELOAD` loads it, nothing links it.
        .library(name: "faults", type: .dynamic, targets: ["Faults"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    ],
    targets: [
        .systemLibrary(
            name: "CLibYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"]), .brew(["libyaml"])]),
        .target(name: "CLinux"),
        target("WaybillCore", [crypto]),
        target("WaybillExpressions", ["WaybillCore"]),
        target("WaybillManifests", ["WaybillCore", "WaybillExpressions", "CLibYAML"]),
        target("WaybillEngine", ["WaybillCore", "WaybillExpressions", "WaybillManifests"]),
        target("WaybillPorts", ["WaybillCore", system]),
        target(
            "WaybillStore",
            [
                "WaybillCore", "WaybillExpressions", "WaybillEngine", "WaybillPorts", "CLinux", crypto, cryptoExtras,
                system,
            ]),
        target("WaybillProcesses", ["WaybillCore", "WaybillPorts", "CLinux", system]),
        target("WaybillWatching", ["WaybillCore", "WaybillPorts", "CLinux", system]),
        target(
            "WaybillHTTP",
            [
                "WaybillCore", "WaybillPorts", system,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        target(
            "WaybillRuntime",
            [
                "WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillEngine", "WaybillPorts",
                "WaybillStore", "CLinux", system,
                .product(name: "Logging", package: "swift-log"),
            ]),
        target("WaybillTestKit", ["WaybillCore", "WaybillEngine", "WaybillPorts", "WaybillStore", "CLinux", system]),
        target(
            "WaybillCommands",
            [
                "WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillEngine", "WaybillPorts",
                "WaybillStore", "WaybillProcesses", "WaybillWatching", "WaybillHTTP", "WaybillRuntime", system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(
            name: "waybill", dependencies: ["WaybillCommands"], exclude: ["Units"], swiftSettings: strict),
        // In C, because one lives beside every step: it has nothing to load, and forks in a fraction of a millisecond.
        .executableTarget(
            name: "waybill-supervisor", dependencies: ["CLinux"],
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: [.unsafeFlags(["-static-executable", "-use-ld=lld"])]),
        .executableTarget(
            name: "conformance",
            dependencies: ["WaybillCore", "WaybillExpressions", "WaybillManifests"],
            path: "Tests/Conformance", swiftSettings: strict),
        .executableTarget(
            name: "benchmarks",
            dependencies: [
                "WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillEngine", "WaybillPorts",
                "WaybillStore", "WaybillProcesses", "WaybillWatching", "WaybillHTTP", "WaybillRuntime", "CLinux",
                system,
            ],
            path: "Tests/Benchmarks", swiftSettings: strict),
        .target(
            name: "Simulation",
            dependencies: [
                "WaybillCore", "WaybillManifests", "WaybillEngine", "WaybillPorts", "WaybillStore", "WaybillRuntime",
                "WaybillTestKit", system, .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Simulation/World", swiftSettings: strict),
        .executableTarget(
            name: "simulate", dependencies: ["Simulation", "WaybillPorts", system], path: "Tests/Simulation/Command",
            swiftSettings: strict),
        .target(
            name: "Faults", path: "Tests/Faults", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]),
        // What programs share that put a real daemon under load.
        .target(
            name: "Harness", dependencies: ["WaybillTestKit", "CLinux", system], path: "Tests/Harness",
            swiftSettings: strict),
        .executableTarget(
            name: "torture", dependencies: ["Harness", "WaybillCore", "WaybillTestKit", system],
            path: "Tests/Torture", swiftSettings: strict),
        .executableTarget(
            name: "soak", dependencies: ["Harness", "WaybillCore", "WaybillTestKit", "CLinux", system],
            path: "Tests/Soak", swiftSettings: strict),
        tests("WaybillCoreTests", ["WaybillCore", "WaybillTestKit"]),
        tests("WaybillExpressionsTests", ["WaybillCore", "WaybillExpressions"]),
        tests("WaybillManifestsTests", ["WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillTestKit"]),
        tests(
            "WaybillEngineTests",
            ["WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillEngine", "WaybillTestKit"]),
        tests(
            "WaybillStoreTests",
            [
                "WaybillCore", "WaybillExpressions", "WaybillEngine", "WaybillPorts", "WaybillStore", "WaybillTestKit",
                "CLinux", system,
            ]),
        tests(
            "WaybillProcessesTests",
            ["WaybillCore", "WaybillPorts", "WaybillProcesses", "WaybillTestKit", "CLinux", system]),
        tests("WaybillWatchingTests", ["WaybillCore", "WaybillPorts", "WaybillWatching", "WaybillTestKit", system]),
        tests(
            "WaybillHTTPTests",
            [
                "WaybillCore", "WaybillPorts", "WaybillHTTP", "WaybillTestKit", system,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        tests(
            "WaybillRuntimeTests",
            [
                "WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillEngine", "WaybillPorts",
                "WaybillStore", "WaybillProcesses",
                "WaybillRuntime", "WaybillTestKit", system,
            ]),
        tests(
            "WaybillCommandsTests",
            [
                "WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillEngine", "WaybillStore",
                "WaybillRuntime", "WaybillCommands", system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        tests("SimulationTests", ["Simulation"], path: "Tests/Simulation/Tests"),
        tests("SoakTests", ["soak"], path: "Tests/SoakTests"),
        tests("EndToEnd", ["WaybillCore", "WaybillTestKit", system], path: "Tests/EndToEnd"),
        tests("Tidy", [], path: "Tests/Tidy"),
    ],
    swiftLanguageModes: [.v6]
)

// `make fuzz` builds this one with libFuzzer's instrumentation; no other build knows of it.
if Context.environment["WAYBILL_FUZZ"] != nil {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer", "WaybillCore", "WaybillExpressions", "WaybillManifests", "WaybillEngine", "WaybillStore",
                "WaybillRuntime",
            ],
            path: "Tests/Fuzz", exclude: ["CFuzzer", "Seeds", "Words"], swiftSettings: strict),
    ]
}
