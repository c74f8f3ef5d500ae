"""What is deployed, checked without deploying it.

============  ==================================================================================================
`bicep`       the compiler, and `python -m tests.infra.bicep`, which refreshes the snapshots (`make infra`)
`snapshots`   the snapshots as values, and the facts each of them must show
`alerts`      the alerts' queries, made from the app's table of signals
`workbook`    the workbook of operators, made from the same
`agreement`   what files must agree about, read from the files themselves
`faults`      mistakes to plant in copies; each must be found by one of the above
============  ==================================================================================================

Facts and agreements are functions that give sentences, one for each thing that is wrong.
"""
