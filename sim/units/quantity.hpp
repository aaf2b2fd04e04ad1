// Physical quantities: a double in SI base units whose dimension is part of its type.
//
// Dimensions are time, data, work (floating-point operations), energy and money. Adding bytes to seconds does not
// compile; dividing bytes by bytes per second gives seconds. A quotient without dimension is a plain double.
// Simulated time is not a Quantity: see sim/event/time.hpp.
#pragma once

#include <cmath>
#include <compare>

namespace mlosim {

// Exponents of the five base dimensions.
template <int Time, int Data, int Work, int Energy, int Money>
struct Dim {
  static constexpr int kTime = Time, kData = Data, kWork = Work, kEnergy = Energy, kMoney = Money;
};

template <class D>
class Quantity {
 public:
  using Dimension = D;

  constexpr Quantity() = default;
  constexpr explicit Quantity(double si) : si_(si) {}

  // The number in SI base units: seconds, bytes, flops, joules, dollars and their products.
  constexpr double si() const { return si_; }

  constexpr Quantity& operator+=(Quantity o) {
    si_ += o.si_;
    return *this;
  }
  constexpr Quantity& operator-=(Quantity o) {
    si_ -= o.si_;
    return *this;
  }
  constexpr Quantity& operator*=(double k) {
    si_ *= k;
    return *this;
  }
  constexpr Quantity& operator/=(double k) {
    si_ /= k;
    return *this;
  }
  constexpr Quantity operator-() const { return Quantity(-si_); }

  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.si_ + b.si_); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.si_ - b.si_); }
  friend constexpr Quantity operator*(Quantity a, double k) { return Quantity(a.si_ * k); }
  friend constexpr Quantity operator*(double k, Quantity a) { return Quantity(k * a.si_); }
  friend constexpr Quantity operator/(Quantity a, double k) { return Quantity(a.si_ / k); }
  friend constexpr auto operator<=>(Quantity, Quantity) = default;

 private:
  double si_ = 0;
};

namespace detail {
// A dimensionless result is a double, any other a Quantity.
template <class D>
constexpr auto make_quantity(double si) {
  if constexpr (D::kTime == 0 && D::kData == 0 && D::kWork == 0 && D::kEnergy == 0 && D::kMoney == 0) {
    return si;
  } else {
    return Quantity<D>(si);
  }
}
template <class A, class B, int Sign>
using Combine = Dim<A::kTime + Sign * B::kTime, A::kData + Sign * B::kData, A::kWork + Sign * B::kWork,
                    A::kEnergy + Sign * B::kEnergy, A::kMoney + Sign * B::kMoney>;
using None = Dim<0, 0, 0, 0, 0>;
}  // namespace detail

template <class A, class B>
constexpr auto operator*(Quantity<A> a, Quantity<B> b) {
  return detail::make_quantity<detail::Combine<A, B, 1>>(a.si() * b.si());
}
template <class A, class B>
constexpr auto operator/(Quantity<A> a, Quantity<B> b) {
  return detail::make_quantity<detail::Combine<A, B, -1>>(a.si() / b.si());
}
template <class A>
constexpr auto operator/(double k, Quantity<A> a) {
  return detail::make_quantity<detail::Combine<detail::None, A, -1>>(k / a.si());
}

using Seconds = Quantity<Dim<1, 0, 0, 0, 0>>;
using Hertz = Quantity<Dim<-1, 0, 0, 0, 0>>;
using Bytes = Quantity<Dim<0, 1, 0, 0, 0>>;
using BytesPerSecond = Quantity<Dim<-1, 1, 0, 0, 0>>;
using Flops = Quantity<Dim<0, 0, 1, 0, 0>>;
using FlopsPerSecond = Quantity<Dim<-1, 0, 1, 0, 0>>;
using Joules = Quantity<Dim<0, 0, 0, 1, 0>>;
using Watts = Quantity<Dim<-1, 0, 0, 1, 0>>;
using JoulesPerByte = Quantity<Dim<0, -1, 0, 1, 0>>;
using JoulesPerFlop = Quantity<Dim<0, 0, -1, 1, 0>>;
using Dollars = Quantity<Dim<0, 0, 0, 0, 1>>;
using DollarsPerSecond = Quantity<Dim<-1, 0, 0, 0, 1>>;

}  // namespace mlosim
