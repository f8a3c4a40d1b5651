package space

import "math"

// meanRadiusM is the radius of the sphere that has the ellipsoid's surface.
const meanRadiusM = 6371007.2

// Distance returns the length in metres of the shortest line on the ellipsoid
// between two positions, altitudes ignored, by Vincenty's inverse formula
// ("Direct and inverse solutions of geodesics on the ellipsoid", Survey Review,
// 1975). The error is below a millimetre, but for points within about a degree
// of each other's antipodes, where the formula may not converge and a sphere's
// distance is returned, wrong by up to 0.6 %. It is for code without a Frame;
// within a chart, the frame's distances are as good and cheaper.
func Distance(a, b Position) float64 {
	const f = flattening
	polarM := equatorM * (1 - f)
	lon := radians(wrapDeg(b.Lon - a.Lon))
	sinU1, cosU1 := math.Sincos(math.Atan((1 - f) * math.Tan(radians(a.Lat))))
	sinU2, cosU2 := math.Sincos(math.Atan((1 - f) * math.Tan(radians(b.Lat))))
	lambda := lon
	for range 100 {
		sinL, cosL := math.Sincos(lambda)
		sinS := math.Hypot(cosU2*sinL, cosU1*sinU2-sinU1*cosU2*cosL)
		if sinS == 0 && cosL > 0 {
			return 0
		}
		cosS := sinU1*sinU2 + cosU1*cosU2*cosL
		sigma := math.Atan2(sinS, cosS)
		sinA := cosU1 * cosU2 * sinL / sinS
		cos2A := 1 - sinA*sinA
		cosM := 0.0
		if cos2A > 0 {
			cosM = cosS - 2*sinU1*sinU2/cos2A
		}
		c := f / 16 * cos2A * (4 + f*(4-3*cos2A))
		before := lambda
		lambda = lon + (1-c)*f*sinA*(sigma+c*sinS*(cosM+c*cosS*(2*cosM*cosM-1)))
		if !(math.Abs(lambda-before) <= 1e-12) { // NaN at exact antipodes never settles
			continue
		}
		u2 := cos2A * (equatorM*equatorM - polarM*polarM) / (polarM * polarM)
		k := 1 + u2/16384*(4096+u2*(-768+u2*(320-175*u2)))
		m := u2 / 1024 * (256 + u2*(-128+u2*(74-47*u2)))
		d := m * sinS * (cosM + m/4*(cosS*(2*cosM*cosM-1)-
			m/6*cosM*(4*sinS*sinS-3)*(4*cosM*cosM-3)))
		return polarM * k * (sigma - d)
	}
	return sphereDistance(a, b)
}

// sphereDistance is the haversine formula.
func sphereDistance(a, b Position) float64 {
	sinLat := math.Sin(radians(b.Lat-a.Lat) / 2)
	sinLon := math.Sin(radians(b.Lon-a.Lon) / 2)
	h := sinLat*sinLat + math.Cos(radians(a.Lat))*math.Cos(radians(b.Lat))*sinLon*sinLon
	return 2 * meanRadiusM * math.Asin(math.Sqrt(min(h, 1)))
}
