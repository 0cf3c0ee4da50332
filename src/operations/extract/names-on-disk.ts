import { safeComponent } from '../../archive/member-names.ts'
import type { ScratchRow } from '../../database/scratch.ts'
import { rootTitles } from '../../domain/roots.ts'
import { usualExtension } from '../../reading/media-type.ts'

/** Looks like an extension, where nothing else says that it is one: `Invoice 2023.04` has none. */
const likelyExtension = /\.[a-z][a-z0-9]{0,4}$/i
const anyExtension = /.(\.[^.\s/\\]{1,15})$/u

/** A title as a name that every file system takes. Windows would drop a dot at its end, so that becomes a wide one. */
export const nameOnDisk = (title: string): string =>
  safeComponent(title).replace(/\.+$/, (dots) => '．'.repeat(dots.length))

/** A folder's name. The home and the inbox of a user lose their dots, with which most programs would not show them. */
export const folderOnDisk = (title: string, atTop: boolean): string =>
  nameOnDisk(atTop && rootTitles.some((root) => root === title) ? title.slice(1) : title)

/** A document's name: its title, with the extension of its file where it has none of its own. */
export function fileOnDisk(title: string, version: ScratchRow): string {
  const extension = extensionOf(version)
  const has = title.toLowerCase().endsWith(extension.toLowerCase()) || likelyExtension.test(title)
  return nameOnDisk(has ? title : `${nameOnDisk(title)}${extension}`)
}

function extensionOf({ file_name: name, media_type: type }: ScratchRow): string {
  const own = anyExtension.exec(String(name ?? ''))?.[1]
  return own ?? usualExtension(String(type ?? ''))
}

/** An earlier version beside the last one: `scan (version 1).pdf`, with the extension of its own file. */
export function versionOnDisk(name: string, version: ScratchRow): string {
  const own = anyExtension.exec(name)?.[1] ?? ''
  return nameOnDisk(
    `${name.slice(0, name.length - own.length)} (version ${String(version.number)})${extensionOf(version) || own}`,
  )
}
