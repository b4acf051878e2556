package import WaybillCore
package import WaybillExpressions

/// `http: {method, url, query, headers, json | form | text | file, auth, expect}`.
///
/// The output is `{status, headers, body}`: the status as int, header names in lower case with their values joined by
/// `, `, and the body as JSON where its media type says so, else as text.
package struct HTTPAction: Sendable {
    package enum Body: Sendable {
        case none
        case json(Content)
        /// `application/x-www-form-urlencoded`.
        case form([NamedTemplate], secrets: [SecretField])
        case text(Template)
        /// A text of a secret alone.
        case secret(SecretText)
        /// A path below the tree's root.
        case file(Template)
    }
    package enum Authentication: Sendable {
        /// The token is a secret of this name.
        case bearer(secret: String)
        /// The password is a secret of this name.
        case basic(user: Template, secret: String)
    }
    /// A JSON value, taken apart as far as there are secrets in it.
    package indirect enum Content: Sendable {
        /// Without any.
        case template(Template)
        /// A string.
        case secret(SecretText)
        case list([Content])
        case map([(key: String, value: Content)])

        /// The names of the secrets in it.
        var secretNames: [String] {
            switch self {
            case .template: []
            case .secret(let text): [text.secret]
            case .list(let items): items.flatMap(\.secretNames)
            case .map(let members): members.flatMap(\.value.secretNames)
            }
        }
    }
    /// A status code, or a class of them as `2xx` writes it.
    package struct StatusRange: Sendable, Hashable {
        package var range: ClosedRange<Int>

        package init(_ range: ClosedRange<Int>) { self.range = range }
    }

    /// In capitals.
    package var method: String
    package var url: Template
    package var query: [NamedTemplate]
    package var headers: [NamedTemplate]
    package var secretQuery: [SecretField]
    package var secretHeaders: [SecretField]
    package var body: Body
    package var authentication: Authentication?
    /// The statuses that mean success; `2xx` unless said.
    package var expect: [StatusRange]

    package init(
        method: String, url: Template, query: [NamedTemplate] = [], headers: [NamedTemplate] = [],
        secretQuery: [SecretField] = [], secretHeaders: [SecretField] = [], body: Body = .none,
        authentication: Authentication? = nil,
        expect: [StatusRange] = [StatusRange(200...299)]
    ) {
        self.method = method
        self.url = url
        self.query = query
        self.headers = headers
        self.secretQuery = secretQuery
        self.secretHeaders = secretHeaders
        self.body = body
        self.authentication = authentication
        self.expect = expect
    }

    /// The names of the secrets that it sends.
    package var secretNames: [String] {
        var names = (secretQuery + secretHeaders).map(\.text.secret)
        switch body {
        case .json(let content): names += content.secretNames
        case .form(_, let secrets): names += secrets.map(\.text.secret)
        case .secret(let text): names.append(text.secret)
        case .none, .text, .file: break
        }
        switch authentication {
        case .bearer(let secret), .basic(_, let secret): names.append(secret)
        case nil: break
        }
        return names
    }

    /// Whether repeating the request is safe by the method's own definition (RFC 9110, section 9.2.2).
    package var isIdempotent: Bool { ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"].contains(method) }
    /// The time a request may take unless its step says otherwise.
    package static let defaultTimeout = Duration.seconds(30)
}

/// `{secret: name, prefix: text}` in a request: a text that nobody may see.
package struct SecretText: Sendable, Hashable {
    /// What stands before the secret.
    package var prefix: String
    /// The secret's name.
    package var secret: String

    package init(prefix: String = "", secret: String) {
        self.prefix = prefix
        self.secret = secret
    }
}

/// Such a text as a header, or as a member of a query or a form.
package struct SecretField: Sendable, Hashable {
    package var name: String
    package var text: SecretText

    package init(name: String, text: SecretText) {
        self.name = name
        self.text = text
    }
}

/// `emit: {type, key, subject, data}`: a CloudEvents 1.0 event, accepted by the tree's journal.
package struct EmitAction: Sendable {
    /// Text; may hold `${{ }}`.
    package var type: Template
    package var key: Template?
    package var subject: Template?
    package var data: Template?

    package init(type: Template, key: Template? = nil, subject: Template? = nil, data: Template? = nil) {
        self.type = type
        self.key = key
        self.subject = subject
        self.data = data
    }
}

/// `call: {workflow, with, id, detach}`.
package struct CallAction: Sendable {
    /// A name, literally: what a run calls is frozen with it.
    package var workflow: String
    /// Where the name stands.
    package var place: SourcePlace
    package var inputs: [NamedTemplate]
    /// A run id; derived from the parent's id, the address and the visit unless said.
    package var id: Template?
    /// Whether the step completes once the sub-run started; its output is `{run}` then, else the sub-run's outputs.
    package var detach: Bool

    package init(
        workflow: String, place: SourcePlace, inputs: [NamedTemplate] = [], id: Template? = nil, detach: Bool = false
    ) {
        self.workflow = workflow
        self.place = place
        self.inputs = inputs
        self.id = id
        self.detach = detach
    }
}

/// `uses: name@1` with `with`.
package struct UseAction: Sendable {
    package var reference: CapabilityReference
    /// Where the reference stands.
    package var place: SourcePlace
    package var inputs: [NamedTemplate]
    /// The capability it resolved to: the newest compatible one of the same sources. Set when a catalog is linked;
    /// a workflow that may run has no use without one.
    package var capability: CapabilityDefinition?

    package init(
        reference: CapabilityReference, place: SourcePlace, inputs: [NamedTemplate],
        capability: CapabilityDefinition? = nil
    ) {
        self.reference = reference
        self.place = place
        self.inputs = inputs
        self.capability = capability
    }
}

/// `forEach: {items, key, maxParallel, onItemFailure}` around an action.
package struct ForEachAction: Sendable {
    package enum OnItemFailure: String, Sendable {
        /// The other items are done, then the step fails.
        case finish
        /// No further item begins, those that run end, then the step fails.
        case stop
        /// The step completes; `items[]` tells which failed.
        case collect
    }

    /// Gives a list, or a map (its entries as `{key, value}`, in code-point order).
    package var items: Template
    /// A text for each item, for `items[].key`; sees `item` and `index`. The item's index unless said.
    package var key: Expression?
    package var maxParallel: Int
    package var onItemFailure: OnItemFailure
    /// One step: the action itself, with the modifiers that belong to each item
    /// (`retry timeout verify compensate env output artifacts onUnknown sideEffects pool usage secrets catch`).
    /// Its expressions also see `item` and `index`. `if needs while continueOnError update maxVisits pivot` stay with the
    /// step around it.
    package var body: Plan

    package init(
        items: Template, key: Expression? = nil, maxParallel: Int = 10, onItemFailure: OnItemFailure = .finish,
        body: Plan
    ) {
        self.items = items
        self.key = key
        self.maxParallel = maxParallel
        self.onItemFailure = onItemFailure
        self.body = body
    }

    /// The most items a list may have.
    package static let mostItems = 1_000_000
}
