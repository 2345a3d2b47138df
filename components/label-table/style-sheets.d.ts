/** Style sheets are taken in as text by the build. */
declare module '*.css' {
  const text: string;
  export default text;
}
