import Foundation
import WaybillCore

/// `json_parsing`: what must be accepted, must be refused, and may be either but must come back.
func runJSONSuite(lines: [String], path: String, report: Report) throws {
    for line in lines {
        let test = try JSON.parse(line)
        guard let id = test["id"]?.stringValue, let expect = test["expect"]?.stringValue,
            let bytes = test["bytes_b64"]?.stringValue.flatMap({ Data(base64Encoded: $0) })
        else { throw SuiteError(message: "a case lacks id, expect or bytes_b64") }
        // RFC 8259 leaves members of one name to the reader; Waybill's own files refuse them.
        let limits = JSON.Limits(allowsDuplicateMembers: true)
        let result = Result { () throws(JSONError) in try JSON.parse([UInt8](bytes), limits: limits) }
        let isAccepted = (try? result.get()) != nil
        switch expect {
        case "accept" where test["ijson"] == .bool(false):
            let isRefused = (try? JSON.parse([UInt8](bytes))) == nil
            report.check(id, isAccepted && isRefused, expected: "accepted only where asked", actual: "\(result)")
        case "accept": report.check(id, isAccepted, expected: expect, actual: "\(result)")
        case "reject": report.check(id, !isAccepted, expected: expect, actual: "\(result)")
        default: report.pass()
        }
    }
}

/// A file that is not what its README says.
struct SuiteError: Error {
    var message: String
}
