package motion

// Preset returns the spec of a model that Kapok knows by name, false for
// others. Besides the products among Airframes, the figures are of no product: they
// are round numbers of the size that makers publish for such vehicles, for
// demonstrations and tests.
//
//   - kapok-quad: a delivery multirotor of 13 kg that carries 5 kg, the airframe of
//     that name: two common 12-cell batteries, about 134 W for each kilogram in the
//     hover, as published flight times of aircraft of 10 to 25 kg imply. With 5 kg
//     it plans up to about 25 km.
//   - kapok-rover: a sidewalk robot on six wheels that carries 30 kg at 2.5 m/s
//     (9 km/h, within what most cities allow on sidewalks); 1.2 kWh, about six
//     hours of driving.
//   - kapok-van: a driverless delivery van for roads, of the size of what Nuro
//     published of its R2: 31 kWh, up to 40 km/h, 190 kg of load. Driving takes
//     about 150 Wh a kilometre, as is published for small electric vans in
//     towns; its charger on board is of the usual 6.6 kW.
//   - kapok-boat: an electric harbour launch without crew of 5 m length, 8 kWh,
//     4 m/s (8 knots).
func Preset(model string) (Spec, bool) {
	switch model {
	case "kapok-rover":
		return Spec{
			Kind:      Rover,
			CruiseMPS: 2.5, MaxMPS: 3,
			BatteryWh: 1200, CruiseW: 160, WorkW: 40, LoadWPerKg: 2,
			ChargeW: 600, MaxLoadKg: 30, ReserveRatio: 0.15,
		}, true
	case "kapok-van":
		return Spec{
			Kind: Rover, Road: true,
			CruiseMPS: 9, MaxMPS: 11,
			BatteryWh: 31000, CruiseW: 4900, WorkW: 400, LoadWPerKg: 1,
			ChargeW: 6600, MaxLoadKg: 190, ReserveRatio: 0.15,
		}, true
	case "kapok-boat":
		return Spec{
			Kind:      Vessel,
			CruiseMPS: 4, MaxMPS: 6,
			BatteryWh: 8000, CruiseW: 1800, WorkW: 300, LoadWPerKg: 1,
			ChargeW: 3000, MaxLoadKg: 150, ReserveRatio: 0.2,
		}, true
	}
	if f, ok := AirframeOf(model); ok {
		return f.Spec(), true
	}
	return Spec{}, false
}

// Models returns the names of Kapok's own models, which stand for others of their
// kind, in alphabetical order; Preset knows those of Airframes besides.
func Models() []string {
	return []string{"kapok-boat", "kapok-quad", "kapok-rover", "kapok-van"}
}
