/** Where something lies on the web, with what must not be told of it held apart. */
export interface HttpAddress {
  /** Without user name and password. */
  readonly url: URL
  /** How messages call it: without user name and password, and without the query, which may hold a signature. */
  readonly name: string
  /** The value of the Authorization header (RFC 7617); undefined where the URL names nobody. */
  readonly authorization: string | undefined
}

/** True for what is typed as the address of something on the web: `http://…` or `https://…`, whatever its case. */
export const isHttpUrl = (text: string): boolean => /^https?:\/\//i.test(text)

export function addressOf(given: URL): HttpAddress {
  const url = new URL(given)
  const { username, password } = url
  url.username = ''
  url.password = ''
  url.hash = ''
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64')
  return {
    url,
    name: `${url.origin}${url.pathname}`,
    authorization: username === '' && password === '' ? undefined : `Basic ${credentials}`,
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
