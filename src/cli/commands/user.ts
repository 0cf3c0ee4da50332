import type { Command } from 'commander'
import { display } from '../../std/text.ts'
import { table } from '../columns.ts'
import { readNewPassword } from '../password.ts'
import type { Session } from '../session.ts'
import { done } from './done.ts'
import { example } from './example.ts'

export function addUser(program: Command, session: Session): void {
  const user = program
    .command('user')
    .summary('accounts: add, list, password, disable, enable')
    .description(
      'Accounts. A password is asked for at the terminal, or read as one line of standard input; it is never an argument.',
    )
    .helpCommand(false)
    .addHelpText('after', example('strongroom user add ada --superuser', 'strongroom user list'))

  /** Nobody is to type a password in vain, nor to keep others waiting while typing it: the instance is opened twice. */
  async function askPassword(command: string, username: string): Promise<string> {
    await session.withInstance('read', command, () => Promise.resolve())
    return readNewPassword(session.terminal, command, username)
  }

  user
    .command('add')
    .summary('make an account')
    .description(
      'Makes an account with a home and an inbox. The password is asked for, or read as one line of standard input.',
    )
    .argument('<name>', 'the user name')
    .option('--superuser', 'may do everything')
    .option('--email <address>', 'the e-mail address')
    .addHelpText(
      'after',
      example('strongroom user add ada --email ada@example.org', 'strongroom user add ada < password.txt'),
    )
    .action(async (username: string, { superuser = false, email }: { superuser?: boolean; email?: string }) => {
      const password = await askPassword('user add', username)
      const account = { username, password, superuser, ...(email === undefined ? {} : { email }) }
      const id = await session.withInstance('write', 'user add', ({ users }) => users.add(account))
      await session.report(done('user add', { username, id }), () => [`Added the user ${display(username)}.`])
    })

  user
    .command('list')
    .summary('show the accounts')
    .description('Shows the accounts.')
    .addHelpText('after', example('strongroom user list --json'))
    .action(async () => {
      const accounts = await session.withInstance('read', 'user list', (instance) => instance.users.list())
      const users = accounts.map((account) => ({
        ...account,
        is_active: account.is_active === 1,
        is_superuser: account.is_superuser === 1,
        is_staff: account.is_staff === 1,
      }))
      await session.report(done('user list', { users }), () =>
        table(
          ['Name', 'E-mail', 'Active', 'Superuser'],
          users.map((one) => [
            display(one.username),
            display(one.email),
            one.is_active ? 'yes' : 'no',
            one.is_superuser ? 'yes' : 'no',
          ]),
        ),
      )
    })

  user
    .command('password')
    .summary('set a password')
    .description('Sets the password of an account. It is asked for, or read as one line of standard input.')
    .argument('<name>', 'the user name')
    .addHelpText('after', example('strongroom user password ada'))
    .action(async (username: string) => {
      const password = await askPassword('user password', username)
      await session.withInstance('write', 'user password', ({ users }) => users.setPassword({ username, password }))
      await session.report(done('user password', { username }), () => [`Set the password of ${display(username)}.`])
    })

  user
    .command('disable')
    .summary('lock an account; its documents stay')
    .description('Locks an account; its documents stay.')
    .argument('<name>', 'the user name')
    .addHelpText('after', example('strongroom user disable ada'))
    .action(async (username: string) => {
      await session.withInstance('write', 'user disable', ({ users }) => users.disable({ username }))
      await session.report(done('user disable', { username }), () => [`Disabled ${display(username)}.`])
    })

  user
    .command('enable')
    .summary('open an account again')
    .description('Opens a disabled account again.')
    .argument('<name>', 'the user name')
    .addHelpText('after', example('strongroom user enable ada'))
    .action(async (username: string) => {
      await session.withInstance('write', 'user enable', ({ users }) => users.enable({ username }))
      await session.report(done('user enable', { username }), () => [`Enabled ${display(username)}.`])
    })
}
