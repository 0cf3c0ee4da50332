import { types, type ClientConfig } from 'pg'

const int8 = 20

/** How a connection to a PostgreSQL server is made. `readWhole` reads its 64-bit whole numbers from their text. */
export const clientConfig = (url: string, readWhole: (text: string) => number | null): ClientConfig => ({
  connectionString: url,
  application_name: 'strongroom',
  connectionTimeoutMillis: 10_000,
  keepAlive: true,
  types: {
    getTypeParser: (oid: number, format?: 'text' | 'binary') =>
      oid === int8 && format !== 'binary' ? readWhole : types.getTypeParser(oid, format),
  },
})
