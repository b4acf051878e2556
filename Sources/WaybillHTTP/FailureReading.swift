import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL
import SystemPackage
import WaybillCore
import WaybillPorts

/// A limit of this adapter's own.
enum LimitExceeded: Error {
    case headers
    case body
}

/// Says in words what the library and what lies below it report.
struct FailureReading {
    /// With the port.
    let host: String
    let request: HTTPRequestSpec
    let mayHaveBeenSent: Bool

    func failure(for error: any Error) -> HTTPFailure {
        let (kind, message) = reading(of: error)
        return HTTPFailure(kind, message, mayHaveBeenSent: kind != .invalidRequest && mayHaveBeenSent)
    }

    private func reading(of error: any Error) -> (HTTPFailure.Kind, String) {
        switch error {
        case let error as HTTPClientError: reading(of: error)
        case LimitExceeded.headers, HTTPParserError.headerOverflow:
            (.tooLarge, "the header of the response has more than \(HTTPClientPerformer.headerLimitBytes) bytes")
        case LimitExceeded.body:
            (.tooLarge, "the response has more than \(request.bodyLimitBytes) bytes")
        case NIOHTTPDecompression.DecompressionError.limit:
            (.tooLarge, "the response unpacks to more than \(HTTPClientPerformer.mostBodyBytes) bytes")
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            (.connection, "the compressed response of \(host) is damaged or cut off")
        case let error as HTTPParserError: (.connection, "what \(host) sent is no HTTP: \(error)")
        case let error as NIOConnectionError: (.connection, "cannot connect to \(host): \(Self.cause(of: error))")
        case let error as IOError where !mayHaveBeenSent:
            (.connection, "cannot connect to \(host): \(Self.text(of: error))")
        case let error as IOError: (.connection, "the connection to \(host) broke: \(Self.text(of: error))")
        case let error as NIOSSLError: (.connection, "no secure connection to \(host): \(Self.text(of: error))")
        case is BoringSSLError, is NIOSSLExtraError: (.connection, "no secure connection to \(host): \(error)")
        case is ChannelError: (.connection, "the connection to \(host) broke: \(error)")
        default: (.connection, "\(host): \(error)")
        }
    }

    private func reading(of error: HTTPClientError) -> (HTTPFailure.Kind, String) {
        switch error {
        case .deadlineExceeded, .getConnectionFromPoolTimeout: (.timeout, "took longer than \(request.timeout.text)")
        case .connectTimeout:
            (.connection, "\(host) did not take the connection within \(HTTPClientPerformer.connectTimeout.text)")
        case .tlsHandshakeTimeout:
            (.connection, "\(host) did not complete the handshake within \(HTTPClientPerformer.connectTimeout.text)")
        case .cancelled, .alreadyShutdown: (.cancelled, "was cancelled")
        case .remoteConnectionClosed:
            (.connection, "\(host) closed the connection before its response was complete")
        case .invalidURL, .emptyHost, .emptyScheme: (.invalidRequest, "the URL is not one that can be requested")
        case .traceRequestWithBody: (.invalidRequest, "TRACE takes no body")
        default: other(error)
        }
    }

    /// Errors that carry what they are about, and those that have no words of ours.
    private func other(_ error: HTTPClientError) -> (HTTPFailure.Kind, String) {
        let text = error.shortDescription
        let isInvalid = ["Unsupported scheme", "Invalid header field names", "Invalid header field values"]
        guard !isInvalid.contains(text) else { return (.invalidRequest, text.lowercased()) }
        return (.connection, "\(host): \(text)")
    }

    private static func cause(of error: NIOConnectionError) -> String {
        // Each address has a failure of its own, mostly the same one.
        if let failure = error.connectionErrors.first?.error { return text(of: failure) }
        return error.dnsAError == nil && error.dnsAAAAError == nil ? "no address" : "unknown host"
    }

    private static func text(of error: any Error) -> String {
        switch error {
        case let error as IOError: Errno(rawValue: error.errnoCode).description
        case NIOSSLError.handshakeFailed(let cause), NIOSSLError.shutdownFailed(let cause): "\(cause)"
        case ChannelError.connectTimeout: "no answer"
        default: "\(error)"
        }
    }
}
