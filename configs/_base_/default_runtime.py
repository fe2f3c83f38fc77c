# What every run has, with MMPose's names. It counts iterations, as the schedules do;
# a config that trains by epochs sets `log_processor` and `checkpoint` to
# `by_epoch=True` and `checkpoint` to an interval of epochs.
default_scope = 'mmpose'
custom_imports = dict(imports=['onestage_pose'], allow_failed_imports=False)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(
        # mmengine's, whose files are whole whenever the run is killed
        type='SafeCheckpointHook',
        by_epoch=False,
        interval=10000,
        max_keep_ckpts=3,
        save_best='coco/AP',
        rule='greater',
    ),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # A resumed run goes on exactly where the interrupted one was.
    exact_resume=dict(type='ExactResumeHook'),
    # A dataloader that yields no batch is an error before the run starts.
    data_check=dict(type='DataCheckHook'),
    # So are keypoints or sigmas of the model that are not those of the metainfo.
    skeleton_check=dict(type='SkeletonCheckHook'),
    # Says so when no iteration ends, and where each process stands.
    watchdog=dict(type='WatchdogHook'),
    # SIGTERM saves and ends the run, and ends it after 30 seconds where it hangs.
    # NaN ends it and saves nothing.
    preemption=dict(type='PreemptionHook'),
    finite=dict(type='FiniteHook'),
    visualization=dict(type='InputVisualizationHook', enable=False),
)
# Before each evaluation several processes average their batch norm statistics.
custom_hooks = [dict(type='SyncBuffersHook')]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)

vis_backends = [
    dict(type='LocalVisBackend'),
    # dict(type='TensorboardVisBackend'),
]
visualizer = dict(type='PoseVisualizer', vis_backends=vis_backends, name='visualizer')

log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False, num_digits=6)
log_level = 'INFO'
load_from = None
resume = False
# With None a seed is drawn anew for every run, and kept in its checkpoints.
randomness = dict(seed=0)

backend_args = dict(backend='local')
