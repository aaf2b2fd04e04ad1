// A point of time is not a length of time.
// expects: conversion from .*Time' to .*Span' requested|no viable conversion from .*Time' to .*Span'
#include "sim/event/time.hpp"

const mlosim::event::Span span = mlosim::event::Time(1);
