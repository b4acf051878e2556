import Glibc
import WaybillCommands

exit(await CommandLineTool.run(Array(CommandLine.arguments.dropFirst())))
