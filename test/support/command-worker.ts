import { createInterface } from 'node:readline'
import { runCommand } from './command-line.ts'

/**
 * A process that runs the commands that it is given, one a line as a JSON list of arguments, and answers each with a line
 * when it has ended: an answer is an acknowledgement, whatever happens to the process afterwards.
 */
for await (const line of createInterface({ input: process.stdin })) {
  const { exitCode, stdout, stderr } = await runCommand(JSON.parse(line) as string[])
  process.stdout.write(`${JSON.stringify({ exitCode, stdout, stderr })}\n`)
}
