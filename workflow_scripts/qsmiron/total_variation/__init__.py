"""Total-variation problems with a dipole model, solved by ADMM: the engine behind several methods.

min over χ (and a harmonic field h) of ½‖w(Dχ + h − f)‖² + λ‖∇χ‖₁. Splitting the gradient and the
modelled field off makes every update closed-form: shrinkage in space, a small system for each
spatial frequency. Bilgic et al., Magn Reson Med 2015, doi 10.1002/mrm.25029; Milovic et al.,
Magn Reson Med 2018, doi 10.1002/mrm.27073.
"""
