"""Compiled loops of the ADMM iterations: one pass over the data each, without temporaries.

Arrays are float32 (X, Y, Z) unless said otherwise. Each loop works on the planes ``start`` to
``stop`` of the first axis and releases the interpreter, so that :class:`.slabs.Slabs` can run
it on several threads; every voxel is computed the same way whatever their number.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def shrink_gradient(start, stop, x, duals, weights, thresholds, relaxation, drawn):
    """Shrink p = ∇x + u to z; keeps u = clip(p) in ``duals`` and z − u in ``drawn`` (3, X, Y, Z).

    ∇x is over-relaxed: α∇x + (1 − α)z with the z of before, which is ``drawn`` + ``duals``.
    ``weights`` (X, Y, Z) multiply the thresholds, an edge between two voxels by the smaller of
    theirs; where it is empty the thresholds count fully.
    """
    nx, ny, nz = x.shape
    weighted = weights.size > 0
    factor = np.float32(1)
    for i in range(start, stop):
        ahead_i = i + 1 if i + 1 < nx else 0
        for j in range(ny):
            ahead_j = j + 1 if j + 1 < ny else 0
            for k in range(nz):
                ahead_k = k + 1 if k + 1 < nz else 0
                here = x[i, j, k]
                for axis in range(3):
                    i_2 = ahead_i if axis == 0 else i
                    j_2 = ahead_j if axis == 1 else j
                    k_2 = ahead_k if axis == 2 else k
                    there = x[i_2, j_2, k_2]
                    if weighted:
                        factor = min(weights[i, j, k], weights[i_2, j_2, k_2])
                    dual = duals[axis, i, j, k]
                    before = drawn[axis, i, j, k] + dual
                    p = before + relaxation * (there - here - before) + dual
                    limit = thresholds[axis] * factor
                    u = min(max(p, -limit), limit)
                    duals[axis, i, j, k] = u
                    drawn[axis, i, j, k] = p - 2 * u


@njit(cache=True, nogil=True)
def gradient_adjoint(start, stop, drawn, result):
    """``result`` = ∇ᵀ of a vector field ``drawn`` (3, X, Y, Z), periodic."""
    _, nx, ny, nz = drawn.shape
    for i in range(start, stop):
        behind_i = i - 1 if i > 0 else nx - 1
        for j in range(ny):
            behind_j = j - 1 if j > 0 else ny - 1
            for k in range(nz):
                behind_k = k - 1 if k > 0 else nz - 1
                result[i, j, k] = (
                    drawn[0, behind_i, j, k]
                    - drawn[0, i, j, k]
                    + drawn[1, i, behind_j, k]
                    - drawn[1, i, j, k]
                    + drawn[2, i, j, behind_k]
                    - drawn[2, i, j, k]
                )


@njit(cache=True, nogil=True)
def split_field(start, stop, model, dual, field, weight, penalty, relaxation, drawn):
    """Split y off the modelled field, over-relaxed: min ½ w (y − f)² + ½ μ (y − model − u)².

    Keeps u in ``dual`` and y − u, what the next model is drawn to, in ``drawn``.
    """
    _, ny, nz = model.shape
    for i in range(start, stop):
        for j in range(ny):
            for k in range(nz):
                w = weight[i, j, k]
                before = drawn[i, j, k] + dual[i, j, k]
                g = before + relaxation * (model[i, j, k] - before) + dual[i, j, k]
                y = (w * field[i, j, k] + penalty * g) / (w + penalty)
                dual[i, j, k] = g - y
                drawn[i, j, k] = 2 * y - g


@njit(cache=True, nogil=True)
def split_laplacian(start, stop, laplacian, dual, inside, kept, relaxation, drawn):
    """Split the Laplacian of the harmonic field off, shrunk to the share ``kept`` where inside.

    Over-relaxed as above.

    Keeps the dual, and in ``drawn`` what the next Laplacian is drawn to.
    """
    _, ny, nz = laplacian.shape
    for i in range(start, stop):
        for j in range(ny):
            for k in range(nz):
                before = drawn[i, j, k] + dual[i, j, k]
                g = before + relaxation * (laplacian[i, j, k] - before) + dual[i, j, k]
                z = kept * g if inside[i, j, k] else g
                dual[i, j, k] = g - z
                drawn[i, j, k] = 2 * z - g


@njit(cache=True, nogil=True)
def solve_dipole(start, stop, field, gradient, dipole, curvature, penalty, rho):
    """Spectrum of χ into ``gradient``, that of its field into ``field`` (both complex64)."""
    _, ny, nz = dipole.shape
    for i in range(start, stop):
        for j in range(ny):
            for k in range(nz):
                d = dipole[i, j, k]
                system = penalty * d * d + rho * curvature[i, j, k]
                if system > 0:
                    x = (penalty * d * field[i, j, k] + rho * gradient[i, j, k]) / system
                else:
                    x = np.complex64(0)  # the mean of χ is arbitrary
                gradient[i, j, k] = x
                field[i, j, k] = d * x


@njit(cache=True, nogil=True)
def solve_dipole_and_harmonic(
    start, stop, field, gradient, laplacian, dipole, curvature, bending, penalty, rho, stiffness
):
    """Joint update of χ and of the harmonic field h, a 2 × 2 system per spatial frequency.

    min ½μ|y − Dχ − h|² + ½ρ|z − ∇χ|² + ½σ|v − Δh|². The spectra (complex64) of the targets come
    in, and those of χ (in ``gradient``), Dχ + h (``field``), Δh (``laplacian``) go out.
    ``curvature`` is the spectrum of ∇ᵀ∇ per voxel, ``bending`` that of −Δ in 1/mm².
    """
    _, ny, nz = dipole.shape
    for i in range(start, stop):
        for j in range(ny):
            for k in range(nz):
                d = dipole[i, j, k]
                bend = bending[i, j, k]
                smooth = rho * curvature[i, j, k]
                stiff = stiffness * bend * bend
                pull = rho * gradient[i, j, k]
                bent = stiffness * bend * laplacian[i, j, k]
                # What cancels in the determinant and in Cramer's rule is left out of them: at low
                # frequencies it is a thousand times as large as what remains.
                determinant = smooth * (penalty + stiff) + penalty * d * d * stiff
                if determinant > 0:
                    rest = stiff * field[i, j, k] - bent
                    x = ((penalty + stiff) * pull + penalty * d * rest) / determinant
                    right = penalty * field[i, j, k] + bent
                    h = (smooth * right + penalty * d * (d * bent - pull)) / determinant
                else:
                    x = np.complex64(0)
                    h = (penalty * field[i, j, k] + bent) / (penalty + stiff)
                gradient[i, j, k] = x
                field[i, j, k] = d * x + h
                laplacian[i, j, k] = bend * h
