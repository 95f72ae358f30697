"""What pyproject.toml cannot say: the templates of this folder go into the package, and the build leaves nothing behind."""

import atexit
import shutil
import tempfile

from setuptools import find_packages, setup

# A folder `build` in the checkout would carry modules that are long gone into the next wheel.
BUILD = tempfile.mkdtemp(prefix="xlbilling-build-")
atexit.register(shutil.rmtree, BUILD, ignore_errors=True)

setup(
    packages=[*find_packages(include=["xlbilling*"]), "xlbilling.templates"],
    package_dir={"xlbilling.templates": "templates"},
    options={"build": {"build_base": BUILD}},
)
