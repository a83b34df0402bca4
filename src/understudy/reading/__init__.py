"""Reading prompts in six languages, for every engine: which words name media, are spoken, cut, change or sound.

Nothing here knows a film plan, a drawing or a model. It never fails: what cannot be read is left out.
"""
