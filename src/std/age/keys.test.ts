import { generateX25519Identity } from 'age-encryption'
import { expect, test } from 'vitest'
import type { StrongroomError } from '../../errors.ts'
import { parseKeyFile, parseRecipients, recipientsOf, whyNoRecipient } from './keys.ts'

test('a key file holds identities, several and with comments', async () => {
  const [one, two] = [await generateX25519Identity(), await generateX25519Identity()]
  const text = `# created: now\n# public key: age1…\n${one}\r\n\n${two}\n`
  expect(await parseKeyFile(text, 'k')).toEqual({ identities: [one, two], passphrases: [] })
})

test.each([
  ['with a line feed', 'correct horse\n', 'correct horse'],
  ['without', 'correct horse', 'correct horse'],
  ['of Windows', 'correct horse\r\n', 'correct horse'],
  ['with blanks, which belong to it', ' a b \n', ' a b '],
  ['with a number sign', '#1 secret\n', '#1 secret'],
])('a key file holds a passphrase %s', async (_how, text, passphrase) => {
  expect(await parseKeyFile(text, 'k')).toEqual({ identities: [], passphrases: [passphrase] })
})

const secret = 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ'

test.each([
  ['nothing', ''],
  ['two lines', 'one\ntwo\n'],
  ['a misspelt identity', secret],
  ['an identity and something else', `${secret}\npassphrase\n`],
  ['an identity in lower case', secret.toLowerCase()],
  ['a recipient', 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p\n'],
  ['an encrypted identity', 'age-encryption.org/v1\n-> scrypt x 18\n'],
  ['an SSH key', '-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n'],
])('a key file with %s is refused, and not repeated', async (_what, text) => {
  const error = await parseKeyFile(text, '/keys/k').then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({ code: 'key.unusable', message: expect.stringContaining('/keys/k') as string })
  expect(JSON.stringify([(error as StrongroomError).message, (error as StrongroomError).details])).not.toContain('QQQQ')
})

test('recipients stand one a line', async () => {
  const recipients = await recipientsOf([await generateX25519Identity(), await generateX25519Identity()])
  expect(await parseRecipients(`# who\n${recipients.join('\n')}\n`, 'r')).toEqual(recipients)
})

test.each([
  ['a secret key', secret],
  ['a word', 'ada'],
  ['a misspelt recipient', 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8q'],
])('%s is no recipient, and is not repeated', async (_what, text) => {
  const reason = await whyNoRecipient(text)
  expect(reason).toBeDefined()
  expect(reason).not.toContain(text)
  await expect(parseRecipients(text, 'r')).rejects.toMatchObject({ code: 'key.unusable' })
})

test('a file without a recipient is refused', async () => {
  await expect(parseRecipients('# nobody\n', 'r')).rejects.toMatchObject({ code: 'key.unusable' })
})
