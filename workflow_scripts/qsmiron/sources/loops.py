"""Compiled loops of :mod:`.source_tv`: one pass over the data each.

Arrays are float32 (X, Y, Z), ``mask`` boolean.
"""

from numba import njit


@njit(cache=True, nogil=True)
def ascend(extrapolated, chi, mask, limits, step, paramagnetic, diamagnetic):
    """Dual ascent of the total variations of χ + u and of u.

    ``paramagnetic`` and ``diamagnetic`` (3, X, Y, Z) are the duals, kept within ± ``limits`` (3,)
    per axis. An edge counts where both its voxels lie in the mask; at the end of an axis none does.
    """
    nx, ny, nz = chi.shape
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if not mask[i, j, k]:
                    continue
                for axis in range(3):
                    a = i + 1 if axis == 0 else i
                    b = j + 1 if axis == 1 else j
                    c = k + 1 if axis == 2 else k
                    if a == nx or b == ny or c == nz or not mask[a, b, c]:
                        continue
                    rise = extrapolated[a, b, c] - extrapolated[i, j, k]
                    limit = limits[axis]
                    p = diamagnetic[axis, i, j, k] + step * rise
                    diamagnetic[axis, i, j, k] = min(max(p, -limit), limit)
                    rise += chi[a, b, c] - chi[i, j, k]
                    p = paramagnetic[axis, i, j, k] + step * rise
                    paramagnetic[axis, i, j, k] = min(max(p, -limit), limit)


@njit(cache=True, nogil=True)
def descend(u, extrapolated, data, weight, chi, mask, step, paramagnetic, diamagnetic):
    """Primal descent of u = |χ⁻|: towards its weighted data and into u ≥ max(0, −χ).

    ``extrapolated`` becomes 2u − the u of before. Returns the sums of squares of the change and
    of u.
    """
    nx, ny, nz = u.shape
    changed = 0.0
    total = 0.0
    for i in range(nx):
        for j in range(ny):
            for k in range(nz):
                if not mask[i, j, k]:
                    continue
                pull = 0.0
                for axis in range(3):
                    pull -= paramagnetic[axis, i, j, k] + diamagnetic[axis, i, j, k]
                if i > 0:
                    pull += paramagnetic[0, i - 1, j, k] + diamagnetic[0, i - 1, j, k]
                if j > 0:
                    pull += paramagnetic[1, i, j - 1, k] + diamagnetic[1, i, j - 1, k]
                if k > 0:
                    pull += paramagnetic[2, i, j, k - 1] + diamagnetic[2, i, j, k - 1]
                before = u[i, j, k]
                w = step * weight[i, j, k]
                after = (before - step * pull + w * data[i, j, k]) / (1 + w)
                after = max(after, 0.0, -chi[i, j, k])
                u[i, j, k] = after
                extrapolated[i, j, k] = 2 * after - before
                changed += (after - before) ** 2
                total += after**2
    return changed, total
