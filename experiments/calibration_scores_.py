"""School by school: the quasi-scores that data have for every term of what parameters do to a school.

Each school's answers over the waves have a mean and a covariance that depend on the parameters; both are learned from simulations, school by
school. The best linear and quadratic statistics of the answers (the score of a Gaussian likelihood of independent schools) are sums over
schools with the weights that this gives, so a large or telling school counts for more.
"""
import numpy as np
from .calibration_emulator import Box, _exponents

class Scores:
    def __init__(self, values, shares, seen):
        N, W, n = shares.shape
        d = values.shape[1]
        self.box = box = Box(values.min(0), values.max(0))
        self.degree = 2
        P = box.basis(values, 2)
        inv = np.linalg.pinv(P.T @ P, hermitian=True)
        Y = np.where(seen, shares, 0.0).reshape(N, -1)
        A = inv @ (P.T @ Y)                       # terms, W n
        R = (Y - P @ A).reshape(N, W, n)
        self.m0 = A[0].reshape(W, n)
        A = A.reshape(-1, W, n)
        L = P[:, : d + 1]
        linv = np.linalg.pinv(L.T @ L, hermitian=True)
        C = np.empty((d + 1, n, W, W))
        for a in range(W):
            for b in range(a + 1):
                C[:, :, a, b] = C[:, :, b, a] = linv @ (L.T @ (R[:, a] * R[:, b]))
        C0 = C[0].copy()
        unseen = ~seen.T
        idx = np.arange(W)
        ridge = 1e-6 + 1e-3*np.mean(C0[:, idx, idx][seen.T])
        C0[:, idx, idx] += np.where(unseen, 1.0, ridge*0+1e-9)
        inverse = np.linalg.pinv(C0, hermitian=True)     # n, W, W
        self.linear = np.einsum("nab,tbn->tan", inverse, A[1:])          # terms-1, W, n
        self.quadratic = np.einsum("nab,tnbc,ncd->tnad", inverse, C[1:], inverse)   # d, n, W, W
    def of(self, shares):
        r = shares - self.m0
        B = len(r)
        lin = r.reshape(B, -1) @ self.linear.reshape(len(self.linear), -1).T
        W = r.shape[1]
        quad = np.zeros((B, len(self.quadratic)))
        for a in range(W):
            for b in range(a + 1):
                quad += (1 if a == b else 2) * 0.5 * (r[:, a] * r[:, b]) @ self.quadratic[:, :, a, b].T
        return np.concatenate([lin, quad], axis=1)
