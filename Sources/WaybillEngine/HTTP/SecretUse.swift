package import WaybillCore
import WaybillExpressions
package import WaybillManifests

/// Which secrets a recorded intent needs, by name. The values are known only while an attempt is launched.
///
/// A process has `"secrets":{"TOKEN":"forge"}`, a variable and a name, or `{"name":"forge","as":"descriptor"}` in the place of
/// the name where the variable has the path of a descriptor that holds the secret; a request
/// `"secretHeaders":{"Authorization":{"secret":"forge","prefix":"Bearer "}}`, or `{"secret":"forge","user":"me"}` for the
/// Basic scheme. In its URL and its body secrets have the places that `secretQuery` and `secretBody` list.
package enum SecretUse {
    /// How a header is made of a secret.
    package enum Form: Sendable, Hashable {
        case text(prefix: String)
        /// RFC 7617: the secret is the password.
        case basic(user: String)
    }

    package struct Header: Sendable, Hashable {
        package var name: String
        /// The secret's name.
        package var secret: String
        package var form: Form
        /// Of the manifest, for messages.
        var field: String

        static func authorization(_ secret: String, _ form: Form) -> Header {
            Header(name: "Authorization", secret: secret, form: form, field: "http.auth")
        }

        /// What people and policies see.
        var shown: String {
            switch form {
            case .text(let prefix): "\(prefix)***"
            case .basic: "Basic ***"
            }
        }

        /// The member of `secretHeaders`.
        var value: Value {
            switch form {
            case .text(let prefix): ["secret": .string(secret), "prefix": .string(prefix)]
            case .basic(let user): ["secret": .string(secret), "user": .string(user)]
            }
        }

        /// The field's value.
        package func text(_ secret: String) -> String {
            switch form {
            case .text(let prefix): prefix + secret
            case .basic(let user): "Basic \(Base64.encode(Array("\(user):\(secret)".utf8)))"
            }
        }
    }

    /// What a process gets.
    package static func bindings(in intent: Object) -> [SecretBinding] {
        (intent["secrets"]?.objectValue ?? Object()).map { variable, value in
            SecretBinding(
                variable: variable, name: value.stringValue ?? value["name"]?.stringValue ?? "",
                isDescriptor: value["as"] == "descriptor")
        }
    }

    /// The member of `secrets`.
    static func value(of binding: SecretBinding) -> Value {
        binding.isDescriptor ? ["name": .string(binding.name), "as": "descriptor"] : .string(binding.name)
    }

    /// The headers of a request that hold one.
    package static func headers(in intent: Object) -> [Header] {
        (intent["secretHeaders"]?.objectValue ?? Object()).map { name, value in
            let form = value["user"]?.stringValue.map { Form.basic(user: $0) }
            return Header(
                name: name, secret: value["secret"]?.stringValue ?? "",
                form: form ?? .text(prefix: value["prefix"]?.stringValue ?? ""), field: "http.headers.\(name)")
        }
    }

    /// Where secrets stand in the URL of a request; nil for a record that makes no sense.
    package static func urlPlaces(in intent: Object) -> [RequestText.Place]? { places(intent["secretQuery"]) }

    /// The same for the body.
    package static func bodyPlaces(in intent: Object) -> [RequestText.Place]? { places(intent["secretBody"]) }

    private static func places(_ record: Value?) -> [RequestText.Place]? {
        let records = record?.listValue ?? []
        let places = records.compactMap(RequestText.Place.init)
        return places.count == records.count ? places : nil
    }

    /// All names, sorted: what policies see.
    package static func names(in intent: Object) -> [String] {
        let places = (urlPlaces(in: intent) ?? []) + (bodyPlaces(in: intent) ?? [])
        return Set(
            bindings(in: intent).map(\.name) + headers(in: intent).map(\.secret) + places.map(\.secret)
        ).sorted()
    }
}
