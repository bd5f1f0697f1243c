"""The `--help` text of the commands that do one stage each, with an example."""

STAGE_COMMANDS = {
    "search": (
        "Do stage one: a study for each candidate. Trials go to the store, the best weights to the workspace.\n\n"
        "Example: moodline search plan.yaml --set search.trials=30"
    ),
    "label": (
        "Have the labeller label a sample of the comments, and compare it with gold. No comment is sent twice.\n\n"
        "Example: moodline label plan.yaml --set pseudo_label.sample=2000"
    ),
    "further": (
        "Do stage two: fine-tune the winner further on pseudo-labels and original data; compare with stage one.\n\n"
        "Example: moodline further plan.yaml --ablation"
    ),
    "ensemble": (
        "Combine the best trials, compare all models, and read the test split, for all of them at once; "
        "then, where the plan has distil:, train one model on their predictions.\n\n"
        "Example: moodline ensemble plan.yaml --set ensemble.combine=product"
    ),
    "monitor": (
        "Draw the daily line: results/line.csv, line.png and index.html in the workspace.\n\n"
        "Example: moodline monitor plan.yaml --set index.timezone=Asia/Seoul"
    ),
}
