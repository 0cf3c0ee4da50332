import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { workplace } from '../support/workplace.ts'

const { here, strongroom, done, makeInstance, failure } = workplace()

interface Listed {
  readonly items: readonly { readonly id: string; readonly path: string; readonly documents: number }[]
}

const listed = async (): Promise<Listed['items']> =>
  (JSON.parse((await done('trash list --json')).stdout) as Listed).items

/** An instance with a folder of one document in the trash. */
async function withTrash(): Promise<void> {
  await makeInstance()
  await writeFile(join(here.folder, 'scan.pdf'), 'a scan')
  await done('mkdir Taxes --user ada')
  await done('import scan.pdf --user ada --into Taxes')
  expect((await done('rm Taxes --user ada')).stdout).toBe('Moved Taxes to the trash.\n')
}

/** A terminal at which this is typed, whenever something is asked. */
const terminal = (typed: string) => {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin })
  stdin.write(typed)
  return stdin
}

describe('trash', () => {
  test('list shows what was removed, from where, and how much it holds', async () => {
    await withTrash()
    const { stdout } = await done('trash list --user ada')
    expect(stdout).toMatch(/^User +Removed at +Path +Documents +Size +Id\n/)
    expect(stdout).toMatch(/\nada +\S+Z +\.home\/Taxes\/ +1 +6 B +[0-9a-f-]{36}\n$/)
    expect(await listed()).toMatchObject([
      { path: '.home/Taxes', documents: 1, bytes: 6, type: 'folder', username: 'ada' },
    ])
    expect((await done('tree --user ada')).stdout).not.toContain('Taxes')
  })

  test('restore brings it back, by its path or its id', async () => {
    await withTrash()
    const restored = await done('trash restore .home/Taxes --user ada')
    expect(restored.stdout).toBe('Brought .home/Taxes back to .home/Taxes.\n')
    expect(await listed()).toEqual([])
    await done('rm Taxes --user ada')
    const [{ id } = { id: '' }] = await listed()
    await done(`trash restore ${id} --user ada --into .inbox --title Old`)
    expect((await done('tree --user ada')).stdout).toContain('Old/')
  })

  test('restore says what stands in the way, and what to do', async () => {
    await withTrash()
    await done('mkdir Taxes --user ada')
    const taken = await failure('trash restore .home/Taxes --user ada')
    expect(taken).toMatchObject({ exitCode: 5, code: 'trash.place_taken' })
    expect(taken.stderr).toMatch(/--into.*--title/)
    await done('rm Taxes --user ada')
    expect(await failure('trash restore .home/Taxes --user ada')).toMatchObject({
      exitCode: 5,
      code: 'trash.ambiguous',
    })
    expect(await failure('trash restore nothing --user ada')).toMatchObject({ exitCode: 6, code: 'trash.not_found' })
    await done('mkdir a/b --parents --user ada')
    await done('rm a/b a --user ada')
    const gone = await failure('trash restore .home/a/b --user ada')
    expect(gone).toMatchObject({ exitCode: 5, code: 'trash.place_gone' })
    expect(gone.stderr).toContain('--into')
  })

  test('empty needs --yes without a terminal, and asks at one', async () => {
    await withTrash()
    expect(await failure('trash empty')).toMatchObject({ exitCode: 2, code: 'trash.not_confirmed' })
    const refused = await strongroom('trash empty', { stdin: terminal('n\r') })
    expect(refused.exitCode).toBe(2)
    expect(refused.stderr).toContain('Remove 1 folder and 1 document (6 B) for ever? [y/N]')
    expect(await listed()).toHaveLength(1)
    const agreed = await strongroom('trash empty', { stdin: terminal('y\r') })
    expect(agreed).toMatchObject({ exitCode: 0, stdout: 'Removed 1 folder and 1 document for ever: 6 B.\n' })
    expect(await listed()).toEqual([])
    expect((await done('trash empty')).stdout).toBe('There was nothing to remove.\n')
    expect((await done('check --json')).stdout).toContain('"orphaned":0')
  })

  test('empty takes what is old enough alone', async () => {
    await withTrash()
    expect((await done('trash empty --older-than 1')).stdout).toBe('There was nothing to remove.\n')
    const counts = JSON.parse((await done('trash empty --older-than 0 --user ada --yes --json')).stdout) as unknown
    expect(counts).toMatchObject({ username: 'ada', olderThanDays: 0, items: 1, folders: 1, documents: 1, bytes: 6 })
    for (const days of ['-1', '1.5', 'x', '99999999']) {
      expect(await failure(`trash empty --yes --older-than=${days}`)).toMatchObject({
        exitCode: 2,
        code: 'usage.invalid',
      })
    }
  })

  test('rm of several things moves all of them or none', async () => {
    await makeInstance()
    await done('mkdir a --user ada')
    expect(await failure('rm a nowhere --user ada')).toMatchObject({ exitCode: 6, code: 'node.not_found' })
    expect(await listed()).toEqual([])
    expect(await failure('rm a --recursive --user ada')).toMatchObject({ exitCode: 2, code: 'usage.invalid' })
  })

  test('what is in it is in a backup, and is counted apart', async () => {
    await withTrash()
    const { stdout } = await done('backup out.tar.gz')
    expect(stdout).toMatch(/^In the trash +1 folder, 1 document$/m)
    expect((await done('inspect out.tar.gz')).stdout).toMatch(/^In the trash +1 folder, 1 document$/m)
    const report = JSON.parse((await done('inspect out.tar.gz --json')).stdout) as unknown
    expect(report).toMatchObject({ folders: 0, documents: 0, trash: { folders: 1, documents: 1, versions: 1 } })
  })
})
