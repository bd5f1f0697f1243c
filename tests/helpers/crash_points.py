"""The points at which each command is killed: (module.function, its n-th call), in the order in which it reaches them.

An attempt counts its calls anew. No attempt comes past its point, so low numbers reach every step in turn.
"""

from tests.helpers.killing import Kill

Points = tuple[tuple[str, int], ...]

BEGIN = ("storage.records.stage_records.begin", 1)
FINISH = ("storage.records.stage_records.finish", 1)
OF_A_TRIAL: Points = (
    ("storage.records.trial_slots.take_slot", 1),
    ("studies.workers.worker_loop.add_next_trial", 1),
    ("storage.records.trial_slots.set_trial", 1),
    ("studies.workers.worker_loop._start", 1),
    ("studies.trials.objective.load_classifier", 1),
    ("transfer.training.finetune.FineTuning._step", 4),
    ("studies.trials.heartbeat.Heartbeat.check", 2),
    ("studies.trials.best_weights.BestWeights.write", 1),
    ("optuna.trial.Trial.report", 1),
    ("studies.sampling.pruners.should_prune", 1),
    ("transfer.training.checkpoint.save_file", 1),  # its checkpoint
    ("transfer.training.checkpoint._replace", 1),
    ("studies.trials.objective._finish", 1),  # its end
    ("studies.optuna_storage.RetryingStorage.set_trial_attributes", 1),
    ("studies.dashboard.study_updates.show_trial", 1),
    ("storage.files.file_store.FileStore.publish", 1),
    ("storage.files.local_folder.put_in_place", 1),
    ("storage.records.model_registry.add", 1),
    ("optuna.study.Study.tell", 1),
)
# Those whose outcome depends on the stage: its data, what it keeps, where its weights go.
OF_A_STAGES_TRIAL = tuple(
    point
    for point in OF_A_TRIAL
    if point[0].rpartition(".")[2] in {"load_classifier", "save_file", "_finish", "publish", "add", "tell"}
)
# Weights that others displaced: from the third trial on, and seldom.
REMOVALS: Points = (("storage.records.model_registry.remove", 1), ("storage.files.file_store.FileStore.remove", 1))
ADAPT: Points = (
    ("storage.database.migrations._took_a_step", 2),  # the store is made
    ("storage.database.open_store._prepare", 1),
    ("storage.files.file_store.FileStore.publish", 1),  # the sample of comments
    BEGIN,
    ("stages.adapt.run_adapt._resumed", 1),
    ("transfer.training.masked_lm.DomainAdaptation._do", 1),
    ("stages.adapt.run_adapt.save_checkpoint", 1),
    ("transfer.training.checkpoint._replace", 1),
    ("transfer.training.masked_lm.DomainAdaptation._do", 2),
    ("stages.adapt.run_adapt.save_adapted", 1),
    ("storage.files.file_store.FileStore.publish", 1),
    FINISH,
)
SEARCH: Points = (
    ("studies.optuna_storage.RetryingStorage.__init__", 1),
    ("optuna.create_study", 1),
    ("studies.workers.worker_loop.open_study", 1),
    BEGIN,
    ("storage.files.file_store.FileStore.sweep", 1),
    *OF_A_TRIAL,
    ("os.rename", 3),
    ("shutil.rmtree", 4),
    ("studies.top_k_models.TopKModels.tidy", 2),
    ("studies.trials.trial_resume.remove_ended", 2),
    ("storage.records.trial_slots.close_slot", 1),
    FINISH,
)
LABEL: Points = (
    ("storage.files.file_store.FileStore.publish", 1),  # the sample of comments
    BEGIN,
    ("storage.records.pseudo_labels.register_labeller", 1),
    ("storage.records.pseudo_labels.add_labels", 1),
    ("storage.records.pseudo_labels.add_labels", 2),
    ("stages.label.labelling_loop.keep_means", 1),
    ("stages.label.run_label.evaluate_on_gold", 1),
    FINISH,
)
FURTHER: Points = (
    BEGIN,
    ("studies.workers.worker_loop.open_study", 1),
    *OF_A_STAGES_TRIAL,
    ("stages.further.self_training_rounds.publish_table", 1),  # the second round
    ("studies.workers.worker_loop.open_study", 2),
    ("transfer.training.checkpoint.save_file", 1),
    ("optuna.study.Study.tell", 1),
    ("studies.trials.objective.load_classifier", 1),
    ("stages.further.run_further.run_controls", 1),
    ("stages.further.run_further.compare", 1),
    FINISH,
)
ENSEMBLE: Points = (
    BEGIN,
    ("stages.runtime.prediction_cache.save_array", 1),
    ("stages.ensemble.run_ensemble.score_combinations", 1),
    ("stages.ensemble.run_ensemble.reported_models", 1),
    ("storage.records.stage_records.count_test_reading", 1),
    ("stages.runtime.prediction_cache.save_array", 1),
    FINISH,
    ("stages.ensemble.run_ensemble.draw_models_page", 1),
)
DISTIL: Points = (
    BEGIN,
    ("stages.distil.run_distil.teacher_predictions", 1),
    ("studies.workers.worker_loop.open_study", 1),
    *OF_A_STAGES_TRIAL,
    ("stages.distil.run_distil._evaluated", 1),
    ("storage.records.stage_records.count_test_reading", 1),
    FINISH,
)
INFER: Points = (
    BEGIN,
    ("stages.infer.run_infer.choose_engines", 1),
    ("stages.infer.shard_pipeline.publish_shard", 1),
    ("storage.files.local_folder.put_in_place", 1),
    ("storage.records.shard_records.record_shard", 1),
    ("storage.records.shard_records.record_shard", 2),
    ("stages.infer.run_infer._list_faults", 1),
    FINISH,
)
MONITOR: Points = (
    BEGIN,
    ("stages.monitor.run_monitor.daily_line", 1),
    ("stages.monitor.run_monitor.write_csv", 1),
    ("stages.monitor.run_monitor.write_parquet", 1),
    ("stages.monitor.run_monitor.write_context", 1),
    ("stages.monitor.run_monitor.draw_png", 1),
    ("stages.monitor.run_monitor.write_page", 1),
    FINISH,
)
# By command, in the order of a run; adaptation is part of `moodline search`, distillation of `moodline ensemble`.
STAGES: dict[str, Points] = {
    "search": (*ADAPT, *SEARCH),
    "label": LABEL,
    "further": FURTHER,
    "ensemble": (*ENSEMBLE, *DISTIL),
    "infer": INFER,
    "monitor": MONITOR,
}
# All stages by one command.
RUN: Points = (
    ("transfer.training.masked_lm.DomainAdaptation._do", 2),
    ("optuna.study.Study.tell", 3),
    ("storage.records.pseudo_labels.add_labels", 1),
    ("studies.trials.best_weights.BestWeights.write", 1),
    ("stages.further.self_training_rounds._label", 1),
    ("stages.further.run_further.compare", 1),
    ("stages.ensemble.run_ensemble.score_combinations", 1),
    ("storage.records.model_registry.add", 1),  # the distilled model
    ("storage.records.shard_records.record_shard", 2),
    ("stages.monitor.run_monitor.write_page", 1),
)


def kills_at(points: Points, *, first_after: bool = False) -> list[Kill]:
    """A kill at each point, before and after its call in turn."""
    return [Kill(at, call, after=(i % 2 == 1) != first_after) for i, (at, call) in enumerate(points)]
