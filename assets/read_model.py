import json, sys, numpy as np
model, x = json.load(open(sys.argv[1])), np.load(sys.argv[2])  # model.json and points.npy, as ScoreScope exports them
weights, means, covariances = (np.array(model[name]) for name in ("weights_", "means_", "covariances_"))
d = x[:, None] - means  # N × K × 2; log p(x) = log Σ πₖ N(x | µₖ, Σₖ), and its mean is lower_bound_
q = np.einsum("nki,kij,nkj->nk", d, np.linalg.inv(covariances), d) + np.log(np.linalg.det(2 * np.pi * covariances))
print(np.log(np.exp(-q / 2) @ weights).mean(), model["lower_bound_"])
