import neostandard from 'neostandard'

export default [
  { ignores: ['dist/', 'out/', '.tap/', 'data/', '.cache/', 'src/client/api.ts'] },
  ...neostandard({ ts: true }),
  {
    files: ['**/*.ts'],
    rules: {
      '@stylistic/max-len': ['error', { code: 120, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true }],
      'no-void': ['error', { allowAsStatement: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // the compiler's own, by noUnusedLocals and noUnusedParameters, and in every module; they take a tenth of the time
      '@typescript-eslint/no-unused-vars': 'off',
      '@typescript-eslint/no-redeclare': 'off',
    },
  },
  { files: ['src/**/*.ts', 'plugins/**/*.ts'], ignores: ['src/cli.ts'], rules: { 'no-console': 'error' } },
]
