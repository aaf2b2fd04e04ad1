// A quantity keeps its dimension.
// expects: conversion from .* requested|no viable conversion
#include "sim/units/quantity.hpp"

const mlosim::Seconds time = mlosim::Bytes(1);
