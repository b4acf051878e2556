import Glibc
import WaybillCommands

let arguments = Array(CommandLine.arguments.dropFirst())
if let status = CommandLineTool.answer(arguments) { exit(status) }
exit(CommandLineTool.run(arguments))
