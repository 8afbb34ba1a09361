/** The name under which Nx knows the plugin. */
export const name = '@sluice/nx';
