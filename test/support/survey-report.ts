import { openArchive } from '../../src/archive/open-archive.ts'
import { surveyArchive, type ContentMember, type Survey } from '../../src/archive/survey.ts'
import type { JsonRecord } from '../../src/archive/json-records.ts'
import { StrongroomError } from '../../src/errors.ts'

/** What a survey of an archive told. */
export interface SurveyReport {
  /** Undefined where it was stopped. */
  readonly survey: Survey | undefined
  /** The codes of what is wrong; that of what stopped the survey is the last. */
  readonly problems: readonly string[]
  /** The messages to the codes. */
  readonly messages: readonly string[]
  readonly warnings: readonly string[]
  readonly content: readonly ContentMember[]
  readonly records: readonly JsonRecord[]
  readonly damage: readonly unknown[]
}

/** Surveys an archive and goes on at what is wrong. Only a StrongroomError may stop it; anything else is thrown. */
export async function surveyReport(
  input: string | AsyncIterable<Uint8Array>,
  scratchFolder: string,
): Promise<SurveyReport> {
  const problems: StrongroomError[] = []
  const warnings: string[] = []
  const content: ContentMember[] = []
  const records: JsonRecord[] = []
  const damage: unknown[] = []
  let survey: Survey | undefined
  try {
    await using archive = await openArchive(input, scratchFolder)
    survey = await surveyArchive(archive, scratchFolder, {
      onProblem: (error) => problems.push(error),
      onWarning: (code) => warnings.push(code),
      onContent: (member) => content.push(member),
      onRecord: (record) => records.push(record),
      onDamage: (value) => damage.push(value),
      onRead: () => undefined,
      places: true,
    })
  } catch (error) {
    if (!(error instanceof StrongroomError)) throw error
    problems.push(error)
  }
  return {
    survey,
    problems: problems.map(({ code }) => code),
    messages: problems.map(({ message }) => message),
    warnings,
    content,
    records,
    damage,
  }
}
