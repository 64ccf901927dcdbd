//! The CPU renderer that other tests make pictures with: exact where it can be, complete where it cannot.
#![cfg(feature = "gui")]

mod support;

use egui::epaint::{Vertex, WHITE_UV};
use egui::{Color32, ColorImage, Mesh, Pos2, Rect, Shape, TextureOptions, Ui, pos2, vec2};
use egui_kittest::Harness;
use image::{Rgba, RgbaImage};
use support::Difference;
use support::renderer::Renderer;

const SIZE: [f32; 2] = [120.0, 80.0];

/// A harness that is 120 × 80 points large and shows what `draw` draws.
fn harness<'a>(pixels_per_point: f32, draw: impl FnMut(&mut Ui) + 'a) -> Harness<'a> {
    Harness::builder()
        .with_size(SIZE)
        .with_pixels_per_point(pixels_per_point)
        .renderer(Renderer::default())
        .build_ui(draw)
}

fn picture(draw: impl FnMut(&mut Ui)) -> RgbaImage {
    harness(1.0, draw).render().unwrap()
}

fn all() -> Rect {
    Rect::from_min_size(Pos2::ZERO, SIZE.into())
}

/// Fills everything with a color, without soft edges.
fn paint_all(ui: &Ui, color: Color32) {
    ui.painter().with_clip_rect(all()).rect_filled(all().expand(10.0), 0.0, color);
}

#[track_caller]
fn check(picture: &RgbaImage, [x, y]: [u32; 2], expected: Color32) {
    let Rgba(got) = *picture.get_pixel(x, y);
    assert_eq!(got, expected.to_array(), "at {x}, {y}");
}

#[test]
fn pictures_have_the_size_of_the_window_in_pixels() {
    for (pixels_per_point, expected) in [(1.0, (120, 80)), (1.5, (180, 120)), (2.0, (240, 160))] {
        let picture = harness(pixels_per_point, |ui| paint_all(ui, Color32::RED)).render().unwrap();
        assert_eq!(picture.dimensions(), expected);
        assert!(picture.pixels().all(|pixel| pixel.0 == Color32::RED.to_array()));
    }
}

#[test]
fn colors_are_exact_and_blend_in_gamma_space() {
    let half = Color32::from_rgba_premultiplied(0, 100, 0, 128);
    let picture = picture(|ui| {
        paint_all(ui, Color32::from_rgb(40, 80, 200));
        let rect = Rect::from_min_max(pos2(20.0, 10.0), pos2(60.0, 40.0));
        ui.painter().with_clip_rect(rect).rect_filled(rect.expand(5.0), 0.0, half);
    });
    let behind = Color32::from_rgb(40, 80, 200);
    // 100 + 80 · (1 − 128/255) and so on, rounded.
    let blended = Color32::from_rgb(20, 140, 100);
    check(&picture, [19, 20], behind);
    check(&picture, [20, 10], blended);
    check(&picture, [59, 39], blended);
    check(&picture, [60, 39], behind);
    check(&picture, [59, 40], behind);
}

#[test]
fn triangles_that_share_edges_neither_gap_nor_overlap() {
    // A fan around an odd point, half transparent: a gap or an overlap would have another color.
    let half = Color32::from_rgba_premultiplied(60, 0, 0, 128);
    for center in [pos2(60.0, 40.0), pos2(33.3, 47.9), pos2(80.5, 12.5), pos2(1.25, 79.75)] {
        let picture = picture(|ui| {
            paint_all(ui, Color32::BLACK);
            let mut mesh = Mesh::default();
            let vertex = |pos| Vertex { pos, uv: WHITE_UV, color: half };
            mesh.vertices.push(vertex(center));
            let corners = 37;
            for i in 0..corners {
                let (sin, cos) =
                    (f32::from(i as u16) / corners as f32 * std::f32::consts::TAU).sin_cos();
                mesh.vertices.push(vertex(center + vec2(200.0 * cos, 200.0 * sin)));
                // Both directions, as egui's meshes have them.
                let (a, b) = (i + 1, (i + 1) % corners + 1);
                mesh.indices.extend(if i % 2 == 0 { [0, a, b] } else { [0, b, a] });
            }
            ui.painter().with_clip_rect(all()).add(Shape::mesh(mesh));
        });
        assert!(picture.pixels().all(|pixel| pixel.0 == [60, 0, 0, 255]), "{center:?}");
    }
}

#[test]
fn paint_callbacks_are_ignored() {
    let picture = picture(|ui| {
        paint_all(ui, Color32::GREEN);
        let callback = std::sync::Arc::new("nobody calls me");
        let callback = egui::PaintCallback { rect: all(), callback };
        ui.painter().with_clip_rect(all()).add(callback);
    });
    check(&picture, [60, 40], Color32::GREEN);
}

/// Shows a texture over 80 × 80 pixels from the top left.
fn textured(image: &ColorImage, options: TextureOptions) -> RgbaImage {
    let mut texture = None;
    picture(|ui| {
        let texture = texture
            .get_or_insert_with(|| ui.ctx().load_texture("test", image.clone(), options))
            .id();
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(80.0, 80.0));
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter().with_clip_rect(all()).image(texture, rect, uv, Color32::WHITE);
    })
}

#[test]
fn textures_are_filtered_as_asked() {
    let gray = Color32::from_gray;
    let image = ColorImage::new([2, 2], vec![gray(0), gray(80), gray(160), gray(240)]);
    let nearest = textured(&image, TextureOptions::NEAREST);
    check(&nearest, [0, 0], gray(0));
    check(&nearest, [39, 39], gray(0));
    check(&nearest, [40, 39], gray(80));
    check(&nearest, [39, 40], gray(160));
    check(&nearest, [79, 79], gray(240));
    let linear = textured(&image, TextureOptions::LINEAR);
    // Texel centers lie a quarter of the picture from its edges, where they are continued.
    check(&linear, [0, 0], gray(0));
    check(&linear, [19, 19], gray(0));
    check(&linear, [70, 70], gray(240));
    // (½ + ½ pixel) of the way between the four centers.
    check(&linear, [40, 40], gray(123));
    for x in 1..80 {
        let value = |x| linear.get_pixel(x, 40).0[0];
        assert!((0..=3).contains(&(value(x) - value(x - 1))), "at {x}");
    }
}

#[test]
fn parts_of_a_texture_can_change() {
    let mut texture = None;
    let mut harness = harness(1.0, move |ui: &mut Ui| {
        let options = TextureOptions::NEAREST;
        if let Some(texture) = &mut texture {
            let texture: &mut egui::TextureHandle = texture;
            texture.set_partial([1, 2], ColorImage::filled([2, 1], Color32::RED), options);
        } else {
            let image = ColorImage::filled([4, 4], Color32::BLUE);
            texture = Some(ui.ctx().load_texture("test", image, options));
        }
        let id = texture.as_ref().unwrap().id();
        let rect = Rect::from_min_size(Pos2::ZERO, vec2(80.0, 80.0));
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter().with_clip_rect(all()).image(id, rect, uv, Color32::WHITE);
    });
    harness.step();
    let picture = harness.render().unwrap();
    for (column, row) in (0..4).flat_map(|column| (0..4).map(move |row| (column, row))) {
        let is_changed = row == 2 && (1..=2).contains(&column);
        let expected = if is_changed { Color32::RED } else { Color32::BLUE };
        check(&picture, [20 * column + 10, 20 * row + 10], expected);
    }
}

/// A small window with all that matters: panels, text, a button, an image.
fn window(ui: &mut Ui, texture: &mut Option<egui::TextureHandle>) {
    let texture = texture.get_or_insert_with(|| {
        let image = ColorImage::new(
            [64, 64],
            (0..64 * 64)
                .map(|i| Color32::from_rgb((i % 64 * 4) as u8, (i / 64 * 4) as u8, 128))
                .collect(),
        );
        ui.ctx().load_texture("gradient", image, TextureOptions::LINEAR)
    });
    egui::Panel::left("left").show(ui, |ui| {
        ui.heading("Half moons");
        ui.label("K = 12 components");
        let _ = ui.button("Step");
        ui.add(egui::Slider::new(&mut 0.3, 0.0..=1.0).text("rate"));
    });
    egui::CentralPanel::default().show(ui, |ui| {
        let rect = ui.available_rect_before_wrap();
        let uv = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter().image(texture.id(), rect, uv, Color32::WHITE);
        let curve = (0..200).map(|i| {
            let share = f32::from(i as u16) / 199.0;
            rect.lerp_inside(vec2(share, 0.5 + 0.4 * (9.0 * share).sin()))
        });
        ui.painter().line(curve.collect(), egui::Stroke::new(2.0, Color32::WHITE));
        ui.painter().circle_filled(rect.center(), 20.0, Color32::from_black_alpha(160));
    });
}

#[test]
fn a_window_shows_its_text() {
    for theme in [egui::Theme::Dark, egui::Theme::Light] {
        let mut texture = None;
        let mut harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_theme(theme)
            .renderer(Renderer::default())
            .build_ui(|ui| window(ui, &mut texture));
        harness.run();
        let picture = harness.render().unwrap();
        let (panel, text) = {
            let visuals = harness.ctx.style_of(theme).visuals.clone();
            (visuals.panel_fill, visuals.text_color())
        };
        check(&picture, [100, 700], panel);
        // In the panel the text's own color appears, and there are pixels between both.
        let left = image::imageops::crop_imm(&picture, 0, 0, 150, 100).to_image();
        let count = |color: Color32| left.pixels().filter(|p| p.0 == color.to_array()).count();
        assert!(count(text) > 10, "{theme:?}: {} pixels of text", count(text));
        assert!(count(panel) > 5_000, "{theme:?}");
        assert!(left.pixels().any(|p| p.0 != text.to_array() && p.0 != panel.to_array()));
    }
}

#[test]
fn pictures_are_compared_with_tolerance() {
    let folder = tempfile::tempdir().unwrap();
    let (stored, other) = (folder.path().join("stored.png"), folder.path().join("new/other.png"));
    let gray = RgbaImage::from_pixel(20, 10, Rgba([100, 100, 100, 255]));
    gray.save(&stored).unwrap();

    let mut noisy = gray.clone();
    for pixel in noisy.pixels_mut() {
        pixel.0[0] += 5;
    }
    // Two of 200 pixels are 1%.
    noisy.get_pixel_mut(3, 4).0[1] = 200;
    noisy.get_pixel_mut(5, 4).0[2] = 0;
    assert_eq!(Difference::between(&gray, &noisy).share, 0.01);
    assert_eq!(support::check(&stored, &other, &noisy), Ok(()));
    assert!(!other.exists());

    noisy.get_pixel_mut(6, 4).0[2] = 0;
    let message = support::check(&stored, &other, &noisy).unwrap_err();
    assert!(message.contains("stored.png") && message.contains("other.png"), "{message}");
    assert!(message.contains("1.50%"), "{message}");
    assert_eq!(image::open(&other).unwrap().into_rgba8(), noisy);

    let brighter = RgbaImage::from_pixel(20, 10, Rgba([103, 103, 103, 255]));
    assert!(support::check(&stored, &other, &brighter).unwrap_err().contains("2.25 of 255"));
    let larger = RgbaImage::new(21, 10);
    assert!(support::check(&stored, &other, &larger).unwrap_err().contains("(21, 10)"));
}
