// A bare number has no unit.
// expects: conversion from 'double' to .* requested|no viable conversion from 'double'
#include "sim/units/quantity.hpp"

const mlosim::Seconds time = 1.0;
