# What `make demo-train` trains: the last stretch of the synthetic config's schedule,
# from weights that stopped before the learning rate fell.
_base_ = './gcm-keypoint-rcnn_r18-w32_fpn_synthetic.py'

load_from = '{{ fileDirname }}/../weights/gcm-keypoint-rcnn_r18-w32_fpn_synthetic.pth'

# images that the weights have not been trained on
train_dataloader = dict(dataset=dict(num_images=2000, seed=2))
train_cfg = dict(max_iters=160, val_interval=160)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=10),
    dict(
        type='CosineAnnealingLR',
        by_epoch=False,
        begin=10,
        end=160,
        eta_min_ratio=0.01,
    ),
]
default_hooks = dict(
    logger=dict(interval=10), checkpoint=dict(interval=160, save_best=None)
)
log_processor = dict(window_size=10, num_digits=3)
