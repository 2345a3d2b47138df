/** The id of the model that is used when none is named. */
export const DEFAULT_MODEL = 'default';
