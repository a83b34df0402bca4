"""From a prompt to a film plan: what a director's assistant would write down on first reading it.

`planner` is the way in. It takes a prompt apart (`scenes`: `references`, `shots`, `texts`, `edits`, `quotations`),
reads each part piece by piece (`phrases`, `reading`, `casting`), and weighs what was found (`weighing`). `asked` lets a
language model write the plan instead, `plan_rules` says what every plan must keep, `printing` tells a plan to people.
"""
