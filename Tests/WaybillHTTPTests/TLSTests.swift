import NIOCore
import NIOPosix
import NIOSSL
import SystemPackage
import Testing
import WaybillHTTP
import WaybillPorts
import WaybillTestKit

/// A server with a certificate for `localhost` that only those trust who are told to.
struct TLSTests {
    @Test("a server is trusted whose certificate is among the roots")
    func trusted() async throws {
        let folder = ScratchFolder()
        let roots = folder.write("roots.pem", SecureServer.certificate)
        try await SecureServer.run { port in
            let result = await withPerformer(trustRoots: roots.string) { await $0.get("https://localhost:\(port)/") }
            #expect(result.text == "secret", "\(String(describing: result.failure))")
        }
    }

    @Test("one that nobody vouches for gets nothing of the request")
    func untrusted() async throws {
        try await SecureServer.run { port in
            let failure = await withPerformer { await $0.get("https://localhost:\(port)/") }.failure
            #expect(failure?.kind == .connection)
            #expect(failure?.mayHaveBeenSent == false)
            #expect(failure?.message.hasPrefix("no secure connection to localhost:\(port): ") == true)
            #expect(failure?.message.contains("CERTIFICATE_VERIFY_FAILED") == true, "\(failure?.message ?? "")")
        }
    }

    @Test("a certificate vouches for its own name alone")
    func otherName() async throws {
        let folder = ScratchFolder()
        let roots = folder.write("roots.pem", SecureServer.certificate)
        try await SecureServer.run { port in
            let failure = await withPerformer(trustRoots: roots.string) {
                await $0.get("https://127.0.0.1:\(port)/")
            }.failure
            #expect(failure?.kind == .connection)
            #expect(failure?.mayHaveBeenSent == false)
        }
    }

    @Test("a server without TLS is no server for https")
    func plainServer() async {
        await withServer(LoopbackServer { _ in LoopbackServer.response(200) }) { server in
            let failure = await withPerformer {
                await $0.get("https://127.0.0.1:\(server.port)/")
            }.failure
            #expect(failure?.kind == .connection)
            #expect(failure?.mayHaveBeenSent == false)
        }
    }
}

/// Answers whatever comes with one response.
private enum SecureServer {
    static func run(_ body: (Int) async throws -> Void) async throws {
        let key = try NIOSSLPrivateKey(bytes: Array(privateKey.utf8), format: .pem)
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificate.utf8))
        let configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        let context = try NIOSSLContext(configuration: configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: context), Responder(),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(channel.localAddress?.port ?? 0))
        } catch {
            result = .failure(error)
        }
        try await channel.close()
        try await group.shutdownGracefully()
        try result.get()
    }

    private final class Responder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let response = LoopbackServer.response(200, body: Array("secret".utf8))
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: response)), promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    // Made for this test, for `localhost` alone, from 2020 to 2120; it opens nothing anywhere.
    static let certificate = """
        -----BEGIN CERTIFICATE-----
        MIIBQDCB6KADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
        dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
        bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE2WpXUfLp3qFLc6wj
        SaBY5bPSGmqNjcEx/YkBBoKD6jwQAyNQ3tdus37YSr9SQ8qbTVWpXIknRxvLucGC
        gZhrMKMpMCcwDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3Qw
        CgYIKoZIzj0EAwIDRwAwRAIgbL9zYULSurkVheLZ0FHYYNVjmL24tompClXzMrjE
        TcoCICEBmBHUkpaba+nXZ3aIMDDcI9eVFm44DKU6BrB9R2OX
        -----END CERTIFICATE-----

        """
    private static let privateKey = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgicv68TxUUDhHlrpK
        YzbapDzUVa682a8mQhq41aqJjxehRANCAATZaldR8uneoUtzrCNJoFjls9Iaao2N
        wTH9iQEGgoPqPBADI1De126zfthKv1JDyptNValciSdHG8u5wYKBmGsw
        -----END PRIVATE KEY-----

        """
}
